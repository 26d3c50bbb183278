#include "lib/media/video_reader.h"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "penstock/error.h"

namespace penstock::media {
namespace {

/// Seconds that a picture stays when nothing says how long.
constexpr double kDuration = 0.04;

std::unique_ptr<Input> open(const std::string& name,
                            const std::shared_ptr<const std::string>& bytes,
                            const Limits& limits) {
  return std::make_unique<Input>(
      name,
      bytes ? ByteSource::of_bytes(name, bytes, limits.max_bytes)
            : ByteSource::open_file(name, limits.max_bytes),
      Format{}, limits);
}

Turn turn_of_stream(const AVStream& stream) {
  std::size_t size = 0;
  const std::uint8_t* data =
      av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (data == nullptr || size < 9 * sizeof(std::int32_t)) return {};
  return turn_of(reinterpret_cast<const std::int32_t*>(data));
}

double frame_rate(const AVStream& stream) {
  const AVRational rate = stream.avg_frame_rate;
  return rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
}

}  // namespace

VideoReader::VideoReader(const std::string& name,
                         const std::shared_ptr<const std::string>& bytes,
                         const VideoOptions& options)
    : options_(options),
      input_(open(name, bytes, options.limits)),
      stream_(&input_->choose(AVMEDIA_TYPE_VIDEO)),
      packet_(make_packet()) {
  shown_.frame = make_frame();
  ahead_.frame = make_frame();
  decoder_ = open_decoder(*stream_, name, options.threads);
  // The decoder refuses films whose pictures grow on the way.
  decoder_->max_pixels = options.limits.max_pixels;
  if (!options_.is_strict) decoder_->err_recognition = 0;
  converter_ = std::make_unique<RgbConverter>(turn_of_stream(*stream_),
                                              options.is_bt709);
  if (options_.is_strict) input_->refuse_cut();
  info_ = {.seconds = 0,
           .frame_rate = frame_rate(*stream_),
           .codec = avcodec_get_name(stream_->codecpar->codec_id)};
  if (const auto start = input_->start_seconds()) {
    has_start_ = true;
    start_ = *start;
  }
  look_ahead();
  begin_ = ahead_.time;
  info_.seconds = input_->stated_end(begin_);
}

void VideoReader::damage(const std::string& what) {
  ++damaged_;
  if (!options_.is_strict) return;
  throw Error(Code::kData,
              str("'", input_->name(), "' is damaged after ",
                  std::max(0.0, shown_.time), " s (", info_.codec, ": ", what,
                  "); damaged: skip leaves such places out"));
}

void VideoReader::feed() {
  const bool has_packet = input_->read(*packet_);
  const bool is_cut = has_packet && (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0;
  if (is_cut) damage("a packet is cut");
  const int error =
      avcodec_send_packet(decoder_.get(), has_packet ? packet_.get() : nullptr);
  if (!has_packet) {
    is_drained_ = true;
  } else if (error < 0) {
    damage(words(error));
  }
}

bool VideoReader::decode(AVFrame& frame) {
  for (;;) {
    const int error = avcodec_receive_frame(decoder_.get(), &frame);
    if (error == 0) {
      const bool is_whole = (frame.flags & AV_FRAME_FLAG_CORRUPT) == 0 &&
                            frame.decode_error_flags == 0;
      if (is_whole) return true;
      damage("a picture has holes");
    } else if (error == AVERROR_EOF) {
      return false;
    } else if (error == AVERROR(EAGAIN)) {
      if (is_drained_) return false;
      feed();
    } else {
      damage(words(error));
    }
  }
}

void VideoReader::set_time(Picture& picture) {
  const AVFrame& frame = *picture.frame;
  const double unit = av_q2d(stream_->time_base);
  picture.pts = frame.best_effort_timestamp;
  if (picture.pts == AV_NOPTS_VALUE) {
    // Pictures of raw streams without time stamps follow one after the other.
    const bool is_first = index_ < 0;
    const double stamp =
        start_ + (is_first ? 0 : shown_.time + duration_of(shown_));
    picture.pts = std::llround(stamp / unit);
  }
  const double stamp = static_cast<double>(picture.pts) * unit;
  if (!std::exchange(has_start_, true)) start_ = stamp;
  picture.time = stamp - start_;
}

void VideoReader::look_ahead() {
  av_frame_unref(ahead_.frame.get());
  has_ahead_ = decode(*ahead_.frame);
  if (!has_ahead_) return;
  set_time(ahead_);
  check_picture(ahead_);
}

void VideoReader::check_picture(const Picture& picture) const {
  const Limits& limits = options_.limits;
  if (picture.time > limits.max_seconds) {
    throw Error(Code::kData, str("'", input_->name(), "' lasts over ",
                                 limits.max_seconds, " s: that is the limit"));
  }
  const Size size = converter_->size(*picture.frame, aspect(*picture.frame));
  if (std::int64_t{size.width} * size.height > limits.max_pixels) {
    throw Error(
        Code::kData,
        str("'", input_->name(), "' shows pictures of ", size.width, "x",
            size.height, " square pixels; the limit is ", limits.max_pixels));
  }
}

void VideoReader::check_end() const {
  if (index_ < 0) {
    throw NoTrack(
        str("'", input_->name(), "' has a video track without any picture"));
  }
  if (!options_.is_strict) return;
  input_->check_end("its pictures end",
                    {.begin = begin_, .end = until_, .slack = longest_});
}

double VideoReader::duration_of(const Picture& picture) const {
  if (picture.frame->pkt_duration > 0) {
    return static_cast<double>(picture.frame->pkt_duration) *
           av_q2d(stream_->time_base);
  }
  return info_.frame_rate > 0 ? 1 / info_.frame_rate : kDuration;
}

bool VideoReader::next() {
  if (!has_ahead_) {
    check_end();
    return false;
  }
  std::swap(shown_, ahead_);
  ++index_;
  look_ahead();
  until_ = has_ahead_ ? ahead_.time : shown_.time + duration_of(shown_);
  if (has_ahead_) longest_ = std::max(longest_, until_ - shown_.time);
  return true;
}

AVRational VideoReader::aspect(const AVFrame& frame) const {
  const auto is_useful = [](AVRational ratio) {
    // Ratios beyond these are mistakes.
    return ratio.num > 0 && ratio.den > 0 && av_q2d(ratio) >= 0.1 &&
           av_q2d(ratio) <= 10;
  };
  if (!options_.is_square) return {1, 1};
  if (is_useful(stream_->sample_aspect_ratio)) {
    return stream_->sample_aspect_ratio;
  }
  const AVRational own = frame.sample_aspect_ratio;
  return is_useful(own) ? own : AVRational{1, 1};
}

Size VideoReader::size() const {
  return converter_->size(*shown_.frame, aspect(*shown_.frame));
}

void VideoReader::copy_to(std::uint8_t* rgb) {
  converter_->convert(*shown_.frame, aspect(*shown_.frame), input_->name(),
                      rgb);
}

}  // namespace penstock::media

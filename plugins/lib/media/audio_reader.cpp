#include "lib/media/audio_reader.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <string_view>
#include <utility>

#include "lib/media/downmix.h"
#include "penstock/error.h"

namespace penstock::media {
namespace {

/// Time stamps are rounded and some jitter; what is longer is missing.
constexpr double kHole = 0.1;
/// Tracks that begin so close to each other begin together.
constexpr double kTogether = 0.03;
/// Longer holes in a file that states no length are clocks that were set.
constexpr double kLongestHole = 60;
/// Frames that encoders add, and players leave out, at both ends; those of
/// codecs that add none may be longer.
constexpr int kFramesAdded = 4;
constexpr std::int64_t kLongestFrame = 2048;

std::unique_ptr<Input> open(const std::string& name,
                            const std::shared_ptr<const std::string>& bytes,
                            const AudioOptions& options) {
  const std::int64_t most = options.limits.max_bytes;
  return std::make_unique<Input>(name,
                                 bytes ? ByteSource::of_bytes(name, bytes, most)
                                       : ByteSource::open_file(name, most),
                                 options.format, options.limits);
}

void check(const std::string& name, const char* what, std::int64_t value,
           std::int64_t most) {
  if (value > 0 && value <= most) return;
  throw Error(Code::kData, str("'", name, "' states ", value, " ", what,
                               "; expected 1 to ", most));
}

/// Of PCM the bytes of a sample of all channels; else 0.
int unit_of(const AVCodecParameters& about) {
  const bool is_pcm = about.codec_id >= AV_CODEC_ID_FIRST_AUDIO &&
                      about.codec_id < AV_CODEC_ID_ADPCM_IMA_QT;
  const int bits = av_get_bits_per_sample(about.codec_id);
  return is_pcm ? bits * about.ch_layout.nb_channels / 8 : 0;
}

/// What stands between the frames of MP3 files that were joined end to end or
/// filled up: tags and zeros. Neither is sound, neither is damage.
bool is_between_frames(AVCodecID codec, const AVPacket& packet) {
  if (codec != AV_CODEC_ID_MP3 && codec != AV_CODEC_ID_MP2) return false;
  const std::string_view bytes(reinterpret_cast<const char*>(packet.data),
                               static_cast<std::size_t>(packet.size));
  return bytes.starts_with("ID3") || bytes.starts_with("TAG") ||
         bytes.starts_with("APETAGEX") ||
         bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

AudioReader::AudioReader(const std::string& name,
                         const std::shared_ptr<const std::string>& bytes,
                         const AudioOptions& options)
    : options_(options),
      input_(open(name, bytes, options)),
      packet_(make_packet()),
      frame_(make_frame()) {
  const AVStream& stream = input_->choose(AVMEDIA_TYPE_AUDIO);
  const AVCodecParameters& about = *stream.codecpar;
  const Limits& limits = options.limits;
  // A track that begins late may state them in its packets alone.
  if (about.ch_layout.nb_channels != 0 || about.sample_rate != 0) {
    check(name, "channels", about.ch_layout.nb_channels, limits.max_channels);
    check(name, "samples a second", about.sample_rate, limits.max_sample_rate);
  }
  if (options_.is_strict) input_->refuse_cut();
  unit_ = unit_of(about);
  // Ogg has them for pages alone; those of packets are FFmpeg's reckoning.
  has_stamps_ = std::string_view(input_->format().iformat->name) != "ogg";
  start_ = input_->start_seconds();
  decoder_ = open_decoder(stream, name);
  if (!options_.is_strict) decoder_->err_recognition = 0;
  info_ = {.sample_rate = about.sample_rate,
           .channels = about.ch_layout.nb_channels,
           .shares = {},
           .seconds = input_->stated_seconds(),
           .codec = avcodec_get_name(about.codec_id)};
  // Headers of some codecs state half the rate; the first frame knows it.
  has_frame_ = next_frame();
  if (has_frame_) {
    info_.sample_rate = frame_->sample_rate;
    info_.channels = frame_->ch_layout.nb_channels;
    accept();
    info_.shares = mono_shares(frame_->ch_layout);
  }
}

void AudioReader::damage(int error) {
  ++damaged_;
  if (!options_.is_strict) return;
  throw Error(Code::kData,
              str("'", input_->name(), "' is damaged after ",
                  static_cast<double>(samples_) / info_.sample_rate, " s (",
                  info_.codec, ": ", words(error),
                  "); damaged: skip leaves such places out"));
}

void AudioReader::feed() {
  const bool has_packet = input_->read(*packet_);
  if (has_packet && unit_ > 0) {
    // Less than one sample: a byte too many at the end, not damage.
    av_shrink_packet(packet_.get(), packet_->size - packet_->size % unit_);
    if (packet_->size == 0) return;
  }
  if (has_packet && is_between_frames(decoder_->codec_id, *packet_)) return;
  const int error =
      avcodec_send_packet(decoder_.get(), has_packet ? packet_.get() : nullptr);
  if (!has_packet) {
    is_drained_ = true;
  } else if (error < 0) {
    damage(error);
  }
}

bool AudioReader::next_frame() {
  for (;;) {
    const int error = avcodec_receive_frame(decoder_.get(), frame_.get());
    if (error == 0 && frame_->nb_samples > 0) return true;
    if (error == AVERROR_EOF) return false;
    if (error == AVERROR(EAGAIN)) {
      if (is_drained_) return false;
      feed();
    } else if (error < 0) {
      damage(error);
    }
  }
}

void AudioReader::check_frame() const {
  const Limits& limits = options_.limits;
  check(input_->name(), "channels", frame_->ch_layout.nb_channels,
        limits.max_channels);
  check(input_->name(), "samples a second", frame_->sample_rate,
        limits.max_sample_rate);
  if (frame_->sample_rate != info_.sample_rate ||
      frame_->ch_layout.nb_channels != info_.channels) {
    throw Error(Code::kData,
                str("'", input_->name(), "' changes from ", info_.channels,
                    " channels at ", info_.sample_rate, " Hz to ",
                    frame_->ch_layout.nb_channels, " at ", frame_->sample_rate,
                    ": such files are not read"));
  }
}

void AudioReader::check_length() const {
  const double most = options_.limits.max_seconds;
  if (static_cast<double>(samples_) / info_.sample_rate <= most) return;
  throw Error(Code::kData, str("'", input_->name(), "' lasts over ", most,
                               " s: that is the limit"));
}

double AudioReader::hole_before(double stamp) const {
  // What was heard may be ahead of time stamps that went back.
  const double heard = static_cast<double>(samples_) / info_.sample_rate;
  const double length =
      std::min(stamp - next_, stamp - *start_ - begin_ - heard);
  if (!has_stamps_ || length <= kHole) return 0;
  const bool is_likely = info_.seconds > 0 ? stamp - *start_ < info_.seconds + 1
                                           : length < kLongestHole;
  return is_likely ? length : 0;
}

void AudioReader::follow_clock() {
  const double length =
      static_cast<double>(frame_->nb_samples) / info_.sample_rate;
  const std::int64_t pts = frame_->pts != AV_NOPTS_VALUE
                               ? frame_->pts
                               : frame_->best_effort_timestamp;
  const bool is_first = samples_ == 0;
  double stamp = next_;
  if (pts != AV_NOPTS_VALUE) {
    stamp = static_cast<double>(pts) * av_q2d(decoder_->pkt_timebase);
  }
  if (is_first) {
    if (!start_) start_ = stamp;
    begin_ = stamp - *start_ < kTogether ? 0 : stamp - *start_;
  } else {
    hole_ = std::llround(hole_before(stamp) * info_.sample_rate);
  }
  next_ = stamp + length;
}

void AudioReader::accept() {
  check_frame();
  follow_clock();
  longest_ = std::max<std::int64_t>(longest_, frame_->nb_samples);
  samples_ += hole_ + frame_->nb_samples;
  check_length();
}

void AudioReader::check_end() const {
  if (samples_ == 0) {
    throw NoTrack(
        str("'", input_->name(), "' has an audio track without any sound"));
  }
  if (!options_.is_strict) return;
  const double seconds = static_cast<double>(samples_) / info_.sample_rate;
  const auto frame = static_cast<double>(std::min(longest_, kLongestFrame));
  input_->check_end("its sound ends",
                    {.begin = begin_,
                     .end = begin_ + seconds,
                     .slack = kFramesAdded * frame / info_.sample_rate});
}

bool AudioReader::read(Planes& block) {
  if (!std::exchange(has_frame_, false)) {
    if (!next_frame()) {
      check_end();
      return false;
    }
    accept();
  }
  if (hole_ > 0) {
    const std::int64_t count = std::min<std::int64_t>(hole_, info_.sample_rate);
    block.assign(static_cast<std::size_t>(info_.channels),
                 std::vector<float>(static_cast<std::size_t>(count)));
    hole_ -= count;
    has_frame_ = true;
  } else {
    faulty_ += to_planes(*frame_, block);
  }
  return true;
}

}  // namespace penstock::media

#include "tests/plugins/lib/media/film_file.h"

extern "C" {
#include <libavutil/channel_layout.h>
}

#include <algorithm>
#include <stdexcept>

#include "lib/media/ffmpeg.h"

namespace penstock::media {
namespace {

void check(int result, const char* what) {
  if (result < 0) throw std::runtime_error(what + (": " + words(result)));
}

/// A file in memory that is written.
class Muxer {
 public:
  explicit Muxer(const std::string& container) {
    check(avformat_alloc_output_context2(&format_, nullptr, container.c_str(),
                                         nullptr),
          "container");
    check(avio_open_dyn_buf(&format_->pb), "memory");
  }
  Muxer(const Muxer&) = delete;
  Muxer& operator=(const Muxer&) = delete;
  ~Muxer() {
    if (format_->pb != nullptr) (void)finish();
    avformat_free_context(format_);
  }
  AVFormatContext* operator->() { return format_; }
  AVFormatContext* get() { return format_; }
  std::string finish() {
    std::uint8_t* bytes = nullptr;
    // Closing adds bytes where the muxer wrote last, not at the end.
    const int size = avio_get_dyn_buf(format_->pb, &bytes);
    std::string out(reinterpret_cast<const char*>(bytes),
                    static_cast<std::size_t>(size));
    avio_close_dyn_buf(format_->pb, &bytes);
    format_->pb = nullptr;
    av_free(bytes);
    return out;
  }

 private:
  AVFormatContext* format_ = nullptr;
};

Decoder open_encoder(const Film& film) {
  const bool is_mov = film.container == "mov";
  const AVCodec* codec =
      avcodec_find_encoder(is_mov ? AV_CODEC_ID_MPEG4 : AV_CODEC_ID_FFV1);
  Decoder encoder(avcodec_alloc_context3(codec));
  encoder->width = film.width;
  encoder->height = film.height;
  encoder->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder->time_base = {1, 1000};
  encoder->colorspace = film.matrix;
  encoder->color_range = film.range;
  encoder->sample_aspect_ratio = film.aspect;
  encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_QSCALE;
  encoder->global_quality = FF_QP2LAMBDA;
  check(avcodec_open2(encoder.get(), codec, nullptr), "encoder");
  return encoder;
}

void paint(const Film& film, int shift, AVFrame& frame) {
  for (int plane = 0; plane < 3; ++plane) {
    const int height = plane == 0 ? film.height : film.height / 2;
    const int width = plane == 0 ? film.width : film.width / 2;
    const auto at = static_cast<std::size_t>(plane);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const std::size_t quarter =
            (2 * y >= height ? 2U : 0U) + (2 * x >= width ? 1U : 0U);
        frame.data[at][y * frame.linesize[at] + x] = static_cast<std::uint8_t>(
            film.quarters.at(quarter).at(at) + (plane == 0 ? shift : 0));
      }
    }
  }
}

void drain(AVCodecContext* encoder, Muxer& muxer, const AVStream& stream) {
  const Packet packet = make_packet();
  while (avcodec_receive_packet(encoder, packet.get()) == 0) {
    if (encoder->codec_type == AVMEDIA_TYPE_VIDEO) packet->duration = 40;
    packet->stream_index = stream.index;
    av_packet_rescale_ts(packet.get(), encoder->time_base, stream.time_base);
    check(av_interleaved_write_frame(muxer.get(), packet.get()), "packet");
  }
}

void write_pictures(const Film& film, AVCodecContext* encoder, Muxer& muxer,
                    const AVStream& stream) {
  for (std::size_t i = 0; i < film.times.size(); ++i) {
    const Frame frame = make_frame();
    frame->format = encoder->pix_fmt;
    frame->width = film.width;
    frame->height = film.height;
    frame->pts = film.times[i];
    check(av_frame_get_buffer(frame.get(), 0), "frame");
    paint(film, 10 * static_cast<int>(i % 5), *frame);
    check(avcodec_send_frame(encoder, frame.get()), "picture");
    drain(encoder, muxer, stream);
  }
  check(avcodec_send_frame(encoder, nullptr), "end");
  drain(encoder, muxer, stream);
}

Decoder open_sound_encoder(const Sound& sound) {
  const AVCodec* codec = avcodec_find_encoder_by_name(sound.codec.c_str());
  if (codec == nullptr) throw std::runtime_error("no encoder " + sound.codec);
  Decoder encoder(avcodec_alloc_context3(codec));
  encoder->sample_rate = sound.rate;
  encoder->sample_fmt = AV_SAMPLE_FMT_S16;
  encoder->time_base = {1, sound.rate};
  encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  av_channel_layout_default(&encoder->ch_layout, 1);
  check(avcodec_open2(encoder.get(), codec, nullptr), "sound encoder");
  return encoder;
}

void write_sound(const Sound& sound, AVCodecContext* encoder, Muxer& muxer,
                 const AVStream& stream) {
  const std::size_t unit = encoder->frame_size > 0
                               ? static_cast<std::size_t>(encoder->frame_size)
                               : static_cast<std::size_t>(sound.rate / 50);
  const std::size_t half = sound.samples.size() / 2;
  for (std::size_t at = 0; at < sound.samples.size(); at += unit) {
    const Frame frame = make_frame();
    frame->format = AV_SAMPLE_FMT_S16;
    frame->nb_samples =
        static_cast<int>(std::min(unit, sound.samples.size() - at));
    check(av_channel_layout_copy(&frame->ch_layout, &encoder->ch_layout),
          "layout");
    frame->sample_rate = sound.rate;
    const std::int64_t late =
        (sound.begin + (at >= half ? sound.hole : 0)) * sound.rate / 1000;
    frame->pts = late + static_cast<std::int64_t>(at);
    check(av_frame_get_buffer(frame.get(), 0), "sound frame");
    std::copy_n(sound.samples.begin() + static_cast<std::ptrdiff_t>(at),
                frame->nb_samples,
                reinterpret_cast<std::int16_t*>(frame->data[0]));
    check(avcodec_send_frame(encoder, frame.get()), "sound");
    drain(encoder, muxer, stream);
  }
  check(avcodec_send_frame(encoder, nullptr), "end of sound");
  drain(encoder, muxer, stream);
}

void set_display(AVStream* stream, const std::vector<std::int32_t>& matrix) {
  if (matrix.empty()) return;
  auto* to = reinterpret_cast<std::int32_t*>(av_stream_new_side_data(
      stream, AV_PKT_DATA_DISPLAYMATRIX, matrix.size() * sizeof(std::int32_t)));
  std::copy(matrix.begin(), matrix.end(), to);
}

AVStream* add_stream(Muxer& muxer, const AVCodecContext& encoder) {
  AVStream* stream = avformat_new_stream(muxer.get(), nullptr);
  check(avcodec_parameters_from_context(stream->codecpar, &encoder), "stream");
  stream->time_base = encoder.time_base;
  return stream;
}

void write_header(const Film& film, Muxer& muxer) {
  AVDictionary* options = nullptr;
  for (const auto& [name, value] : film.options) {
    av_dict_set(&options, name.c_str(), value.c_str(), 0);
  }
  const int error = avformat_write_header(muxer.get(), &options);
  av_dict_free(&options);
  check(error, "header");
}

}  // namespace

std::vector<std::int16_t> even_sound(double seconds, std::int16_t value,
                                     int rate) {
  std::vector<std::int16_t> samples(static_cast<std::size_t>(seconds * rate));
  std::fill(samples.begin(), samples.end(), value);
  return samples;
}

std::string to_bytes(const Film& film) {
  Muxer muxer(film.container);
  Decoder pictures;
  Decoder sound;
  AVStream* shown = nullptr;
  AVStream* heard = nullptr;
  if (!film.times.empty()) {
    pictures = open_encoder(film);
    shown = add_stream(muxer, *pictures);
    shown->sample_aspect_ratio = film.aspect;
    set_display(shown, film.display);
  }
  if (!film.sound.samples.empty()) {
    sound = open_sound_encoder(film.sound);
    heard = add_stream(muxer, *sound);
  }
  write_header(film, muxer);
  if (shown != nullptr) write_pictures(film, pictures.get(), muxer, *shown);
  if (heard != nullptr) write_sound(film.sound, sound.get(), muxer, *heard);
  check(av_write_trailer(muxer.get()), "trailer");
  return muxer.finish();
}

}  // namespace penstock::media

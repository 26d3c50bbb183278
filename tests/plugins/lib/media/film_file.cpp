#include "tests/plugins/lib/media/film_file.h"

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
    const int size = avio_close_dyn_buf(format_->pb, &bytes);
    format_->pb = nullptr;
    std::string out(reinterpret_cast<const char*>(bytes),
                    static_cast<std::size_t>(size));
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
    packet->duration = 40;
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

void set_display(AVStream* stream, const std::vector<std::int32_t>& matrix) {
  if (matrix.empty()) return;
  auto* to = reinterpret_cast<std::int32_t*>(av_stream_new_side_data(
      stream, AV_PKT_DATA_DISPLAYMATRIX, matrix.size() * sizeof(std::int32_t)));
  std::copy(matrix.begin(), matrix.end(), to);
}

}  // namespace

std::string to_bytes(const Film& film) {
  const Decoder encoder = open_encoder(film);
  Muxer muxer(film.container);
  AVStream* stream = avformat_new_stream(muxer.get(), nullptr);
  check(avcodec_parameters_from_context(stream->codecpar, encoder.get()),
        "stream");
  stream->time_base = encoder->time_base;
  stream->sample_aspect_ratio = film.aspect;
  set_display(stream, film.display);
  check(avformat_write_header(muxer.get(), nullptr), "header");
  write_pictures(film, encoder.get(), muxer, *stream);
  check(av_write_trailer(muxer.get()), "trailer");
  return muxer.finish();
}

}  // namespace penstock::media

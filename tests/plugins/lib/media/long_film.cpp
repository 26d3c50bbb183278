// long_film IN OUT COUNT: the film IN, COUNT times over, in one file, without
// decoding anything. To see how much memory a long film takes:
//
//   build/release/bin/tests/long_film demo.mp4 two_hours.mkv 120
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "lib/media/ffmpeg.h"

namespace penstock::media {
namespace {

void check(int result, const std::string& what) {
  if (result < 0) throw std::runtime_error(what + ": " + words(result));
}

using Format = std::unique_ptr<AVFormatContext, CloseFormat>;

Format open(const std::string& path) {
  AVFormatContext* format = nullptr;
  check(avformat_open_input(&format, path.c_str(), nullptr, nullptr), path);
  Format out(format);
  check(avformat_find_stream_info(format, nullptr), path);
  return out;
}

class Writer {
 public:
  Writer(const std::string& path, const AVFormatContext& like) {
    check(avformat_alloc_output_context2(&format_, nullptr, nullptr,
                                         path.c_str()),
          path);
    for (unsigned i = 0; i < like.nb_streams; ++i) {
      AVStream* stream = avformat_new_stream(format_, nullptr);
      check(
          avcodec_parameters_copy(stream->codecpar, like.streams[i]->codecpar),
          path);
      stream->codecpar->codec_tag = 0;
      stream->time_base = like.streams[i]->time_base;
    }
    check(avio_open(&format_->pb, path.c_str(), AVIO_FLAG_WRITE), path);
    check(avformat_write_header(format_, nullptr), path);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    avio_closep(&format_->pb);
    avformat_free_context(format_);
  }

  /// All of `from`, `shift` microseconds later.
  void add(AVFormatContext& from, std::int64_t shift) {
    const Packet packet = make_packet();
    while (av_read_frame(&from, packet.get()) == 0) {
      const AVRational unit = from.streams[packet->stream_index]->time_base;
      const std::int64_t later = av_rescale_q(shift, AV_TIME_BASE_Q, unit);
      if (packet->pts != AV_NOPTS_VALUE) packet->pts += later;
      if (packet->dts != AV_NOPTS_VALUE) packet->dts += later;
      av_packet_rescale_ts(packet.get(), unit,
                           format_->streams[packet->stream_index]->time_base);
      packet->pos = -1;
      check(av_interleaved_write_frame(format_, packet.get()), "packet");
    }
  }
  void finish() { check(av_write_trailer(format_), "trailer"); }

 private:
  AVFormatContext* format_ = nullptr;
};

void run(const std::string& in, const std::string& out, int count) {
  const Format first = open(in);
  Writer writer(out, *first);
  for (int i = 0; i < count; ++i) {
    const Format again = open(in);
    writer.add(*again, i * first->duration);
  }
  writer.finish();
}

}  // namespace
}  // namespace penstock::media

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::runtime_error("usage: long_film IN OUT COUNT");
    penstock::media::run(argv[1], argv[2], std::stoi(argv[3]));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "long_film: " << error.what() << "\n";
    return 1;
  }
}

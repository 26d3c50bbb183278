#include "lib/media/ffmpeg.h"

#include <array>
#include <new>

#include "penstock/error.h"

namespace penstock::media {

Frame make_frame() {
  Frame frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  return frame;
}

Packet make_packet() {
  Packet packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  return packet;
}

std::string words(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  return text.data();
}

bool is_cover(const AVStream& stream) {
  return (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
}

Decoder open_decoder(const AVStream& stream, const std::string& file,
                     int threads) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (codec == nullptr) {
    throw Error(Code::kData, str("'", file, "': there is no decoder for ",
                                 avcodec_get_name(stream.codecpar->codec_id)));
  }
  Decoder decoder(avcodec_alloc_context3(codec));
  if (!decoder) throw std::bad_alloc();
  int error = avcodec_parameters_to_context(decoder.get(), stream.codecpar);
  if (error >= 0) {
    decoder->thread_count = threads;
    decoder->pkt_timebase = stream.time_base;
    decoder->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
    error = avcodec_open2(decoder.get(), codec, nullptr);
  }
  if (error < 0) {
    throw Error(Code::kData, str("'", file, "': the ", codec->name,
                                 " decoder refuses it: ", words(error)));
  }
  return decoder;
}

}  // namespace penstock::media

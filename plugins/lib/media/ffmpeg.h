// FFmpeg's objects as C++ values that free themselves, and its error numbers
// as words. For the files of this folder and for stages that go deeper.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <memory>
#include <string>

namespace penstock::media {

struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeDecoder {
  void operator()(AVCodecContext* decoder) const {
    avcodec_free_context(&decoder);
  }
};
struct FreeIo {
  void operator()(AVIOContext* io) const {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
};
struct CloseFormat {
  void operator()(AVFormatContext* format) const {
    avformat_close_input(&format);
  }
};
using Frame = std::unique_ptr<AVFrame, FreeFrame>;
using Packet = std::unique_ptr<AVPacket, FreePacket>;
using Decoder = std::unique_ptr<AVCodecContext, FreeDecoder>;

[[nodiscard]] Frame make_frame();
[[nodiscard]] Packet make_packet();

/// FFmpeg's words for one of its error numbers.
[[nodiscard]] std::string words(int error);
/// Whether its picture is an album's cover.
[[nodiscard]] bool is_cover(const AVStream& stream);
/// A decoder of `stream`, opened, that reports damage and computes on so many
/// threads; throws Error(kData) naming `file` and the codec when there is none.
[[nodiscard]] Decoder open_decoder(const AVStream& stream,
                                   const std::string& file, int threads = 1);

}  // namespace penstock::media

#include "lib/media/flac.h"

#include <algorithm>
#include <new>
#include <vector>

#include "lib/media/ffmpeg.h"
#include "penstock/error.h"

namespace penstock::media {
namespace {

[[noreturn]] void refuse_flac(const std::string& problem) {
  throw Error(Code::kData, "FLAC cannot be written: " + problem);
}

Decoder open_flac(std::int64_t sample_rate, std::int64_t channels) {
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_FLAC);
  if (codec == nullptr) refuse_flac("FFmpeg has no encoder for it");
  if (channels < 1 || channels > 8) {
    refuse_flac(str("it has 1 to 8 channels, this sound ", channels));
  }
  Decoder out(avcodec_alloc_context3(codec));
  if (!out) throw std::bad_alloc();
  out->sample_rate = static_cast<int>(sample_rate);
  out->sample_fmt = AV_SAMPLE_FMT_S16;
  out->thread_count = 1;
  av_channel_layout_default(&out->ch_layout, static_cast<int>(channels));
  const int error = avcodec_open2(out.get(), codec, nullptr);
  if (error < 0) refuse_flac(words(error));
  return out;
}

}  // namespace

struct FlacEncoder::Impl {
  Impl(std::int64_t sample_rate, std::int64_t channel_count)
      : encoder(open_flac(sample_rate, channel_count)),
        channels(static_cast<std::size_t>(channel_count)) {}

  /// Sends `count` frames of what waits, or the end where it is 0.
  void send(std::size_t count);
  [[nodiscard]] std::string received() const;

  Decoder encoder;
  std::size_t channels;
  std::vector<std::int16_t> waiting;
  std::int64_t sent = 0;
};

void FlacEncoder::Impl::send(std::size_t count) {
  int error = 0;
  if (count == 0) {
    error = avcodec_send_frame(encoder.get(), nullptr);
  } else {
    const Frame frame = make_frame();
    frame->nb_samples = static_cast<int>(count);
    frame->format = encoder->sample_fmt;
    frame->sample_rate = encoder->sample_rate;
    frame->pts = sent;
    error = av_channel_layout_copy(&frame->ch_layout, &encoder->ch_layout);
    if (error >= 0) error = av_frame_get_buffer(frame.get(), 0);
    if (error >= 0) {
      const auto* const bytes =
          reinterpret_cast<const std::uint8_t*>(waiting.data());
      std::copy_n(bytes, count * channels * sizeof(std::int16_t),
                  frame->data[0]);
      error = avcodec_send_frame(encoder.get(), frame.get());
    }
    const auto size = static_cast<std::ptrdiff_t>(count * channels);
    waiting.erase(waiting.begin(), waiting.begin() + size);
    sent += static_cast<std::int64_t>(count);
  }
  if (error < 0) refuse_flac(words(error));
}

std::string FlacEncoder::Impl::received() const {
  std::string out;
  const Packet packet = make_packet();
  while (true) {
    const int error = avcodec_receive_packet(encoder.get(), packet.get());
    if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return out;
    if (error < 0) refuse_flac(words(error));
    out.append(reinterpret_cast<const char*>(packet->data),
               static_cast<std::size_t>(packet->size));
    av_packet_unref(packet.get());
  }
}

FlacEncoder::FlacEncoder(std::int64_t sample_rate, std::int64_t channels)
    : impl_(std::make_unique<Impl>(sample_rate, channels)) {}

FlacEncoder::~FlacEncoder() = default;

std::string FlacEncoder::head() const {
  const AVCodecContext& encoder = *impl_->encoder;
  // The one block of metadata there is, marked as the last: STREAMINFO.
  std::string out("fLaC\x80\0\0", 7);
  out += static_cast<char>(encoder.extradata_size);
  out.append(reinterpret_cast<const char*>(encoder.extradata),
             static_cast<std::size_t>(encoder.extradata_size));
  return out;
}

std::string FlacEncoder::add(std::span<const std::int16_t> samples) {
  auto& waiting = impl_->waiting;
  waiting.insert(waiting.end(), samples.begin(), samples.end());
  const auto frame = static_cast<std::size_t>(impl_->encoder->frame_size);
  std::string out;
  while (waiting.size() / impl_->channels >= frame) {
    impl_->send(frame);
    out += impl_->received();
  }
  return out;
}

std::string FlacEncoder::end() {
  std::string out;
  if (!impl_->waiting.empty()) {
    impl_->send(impl_->waiting.size() / impl_->channels);
    out += impl_->received();
  }
  impl_->send(0);
  return out + impl_->received();
}

}  // namespace penstock::media

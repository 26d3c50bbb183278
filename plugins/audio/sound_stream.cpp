#include "audio/sound_stream.h"

#include <limits>

#include "audio/wav.h"
#include "lib/media/flac.h"

namespace penstock::audio {
namespace {

class RawStream : public SoundStream {
 public:
  std::string head() override { return {}; }
  std::string add(const at::Tensor& sound) override {
    return bytes_of(pcm16_of(sound));
  }
  std::string end() override { return {}; }
};

class WavStream final : public RawStream {
 public:
  WavStream(std::int64_t sample_rate, std::int64_t channels)
      : rate_(sample_rate), channels_(channels) {}

  std::string head() override { return wav_head(rate_, channels_, {}); }
  std::string add(const at::Tensor& sound) override {
    std::string out = RawStream::add(sound);
    bytes_ += std::ssize(out);
    return out;
  }
  /// Of what is longer than its sizes can say the length stays unknown.
  std::string corrected_head() override {
    constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
    if (bytes_ + 36 >= kMost) return {};
    return wav_head(rate_, channels_, bytes_);
  }

 private:
  std::int64_t rate_, channels_;
  std::int64_t bytes_ = 0;
};

class FlacStream final : public SoundStream {
 public:
  FlacStream(std::int64_t sample_rate, std::int64_t channels)
      : encoder_(sample_rate, channels) {}

  std::string head() override { return encoder_.head(); }
  std::string add(const at::Tensor& sound) override {
    return encoder_.add(pcm16_of(sound));
  }
  std::string end() override { return encoder_.end(); }

 private:
  media::FlacEncoder encoder_;
};

}  // namespace

std::unique_ptr<SoundStream> sound_stream(const std::string& format,
                                          std::int64_t sample_rate,
                                          std::int64_t channels) {
  if (format == "wav")
    return std::make_unique<WavStream>(sample_rate, channels);
  if (format == "flac") {
    return std::make_unique<FlacStream>(sample_rate, channels);
  }
  return std::make_unique<RawStream>();
}

}  // namespace penstock::audio

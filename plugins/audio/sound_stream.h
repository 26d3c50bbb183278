// A sound as bytes of a format, piece by piece.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

namespace penstock::audio {

/// One thread at a time.
class SoundStream {
 public:
  virtual ~SoundStream() = default;
  /// The first bytes, before any sample.
  [[nodiscard]] virtual std::string head() = 0;
  /// Of f32[C,T]: the bytes that are ready.
  [[nodiscard]] virtual std::string add(const at::Tensor& sound) = 0;
  /// The last bytes.
  [[nodiscard]] virtual std::string end() = 0;
  /// What the first bytes should have been, now that its length is known; "":
  /// they were right. Behind end().
  [[nodiscard]] virtual std::string corrected_head() { return {}; }
};

/// `format`: wav and raw, integers of 16 bits, or flac. Throws Error(kData).
[[nodiscard]] std::unique_ptr<SoundStream> sound_stream(
    const std::string& format, std::int64_t sample_rate, std::int64_t channels);

}  // namespace penstock::audio

// FLAC, written piece by piece by FFmpeg's encoder.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace penstock::media {

/// One thread at a time.
class FlacEncoder {
 public:
  /// 1 to 8 channels. Throws Error(kData) where FFmpeg has no such encoder or
  /// refuses the rate.
  FlacEncoder(std::int64_t sample_rate, std::int64_t channels);
  FlacEncoder(const FlacEncoder&) = delete;
  FlacEncoder& operator=(const FlacEncoder&) = delete;
  ~FlacEncoder();

  /// What a file begins with. How long it is stays unknown, as FLAC allows.
  [[nodiscard]] std::string head() const;
  /// Samples, the channels side by side; gives the bytes that are ready.
  [[nodiscard]] std::string add(std::span<const std::int16_t> samples);
  /// The rest; nothing may be added behind it.
  [[nodiscard]] std::string end();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::media

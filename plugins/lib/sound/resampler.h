// Resampler: one channel of sound from one rate to another, piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace penstock::audio {

class Resampler {
 public:
  Resampler() = default;
  Resampler(const Resampler&) = delete;
  Resampler& operator=(const Resampler&) = delete;
  virtual ~Resampler() = default;

  /// Takes samples at the old rate; appends those at the new
  /// one that are certain.
  virtual void push(std::span<const float> samples,
                    std::vector<float>& out) = 0;
  /// Appends the remaining samples; the last call.
  virtual void finish(std::vector<float>& out) = 0;
};

/// Resampler by a sinc under a Hann window, 6 zero crossings wide, rolled off
/// at 0.99: gives the numbers of torchaudio's `sinc_interp_hann`, however the
/// input is cut.
[[nodiscard]] std::unique_ptr<Resampler> make_sinc_resampler(std::int64_t from,
                                                             std::int64_t to);
/// Resampler of FFmpeg's swresample with its defaults; gives other numbers.
[[nodiscard]] std::unique_ptr<Resampler> make_swr_resampler(std::int64_t from,
                                                            std::int64_t to);

}  // namespace penstock::audio

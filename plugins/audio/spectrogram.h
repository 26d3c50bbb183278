// Spectrogram: a waveform to log-mel features, after given conventions.
#pragma once

#include <ATen/core/Tensor.h>

#include "audio/conventions.h"

namespace penstock::audio {

/// Const once made: any number of threads may use it.
class Spectrogram {
 public:
  explicit Spectrogram(const Conventions& conventions);

  /// f32[T] to f32[mels, frames] or f32[frames, mels]. Throws Error(kData)
  /// when the sound is too short for a frame.
  [[nodiscard]] at::Tensor of(const at::Tensor& waveform) const;
  /// Which frames begin within the first `samples`: bool[frames].
  [[nodiscard]] at::Tensor mask(std::int64_t samples,
                                std::int64_t frames) const;

 private:
  [[nodiscard]] std::int64_t padded_length(std::int64_t length) const;
  [[nodiscard]] std::int64_t sounding(std::int64_t length) const;
  [[nodiscard]] at::Tensor padded(const at::Tensor& waveform) const;
  [[nodiscard]] at::Tensor windowed(const at::Tensor& frames) const;

  Conventions conventions_;
  at::Tensor window_;   ///< f32[window]
  at::Tensor filters_;  ///< f32[bins, mels]
};

}  // namespace penstock::audio

// What hibari's network says of 12.5 ms of sound at a time, as the sound: a
// pulse train of the pitch, filtered, and noise, shaped, through one inverse
// short-time Fourier transform.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace penstock::speech {

inline constexpr std::int64_t kBins = 601;
inline constexpr std::int64_t kHop = 300;
inline constexpr std::int64_t kRate = 24000;  ///< samples a second

/// Of F frames; each f32[601,F] unless it says otherwise.
struct Spectra {
  at::Tensor harmonic;        ///< log magnitude of what has a pitch
  at::Tensor harmonic_phase;  ///< in half turns, before tanh
  at::Tensor noise;           ///< log magnitude of what has none
  at::Tensor free;            ///< log magnitude of the rest
  at::Tensor free_phase;      ///< its phase
  at::Tensor pitch;           ///< Hz, f32[F]; below 40: no voice
};

/// The samples, f32[300 F] in about -1..1. `random`: normal numbers,
/// c64[601,F]. F is 3 or more. Any thread.
[[nodiscard]] at::Tensor waveform_of(const Spectra& spectra,
                                     const at::Tensor& random);

}  // namespace penstock::speech

// WAV files (RIFF), written.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace penstock::audio {

/// The bytes of f32[C,T], C channels of T samples in -1..1: 16-bit integers, or
/// 32-bit floats as they are. Throws Error(kData) for what a WAV file cannot
/// hold: more than 4 GiB, or more than 65,535 channels.
[[nodiscard]] std::string wav_of(const at::Tensor& samples,
                                 std::int64_t sample_rate, bool is_float);

}  // namespace penstock::audio

// WAV files (RIFF), written.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock::audio {

/// The bytes of f32[C,T], C channels of T samples in -1..1: 16-bit integers, or
/// 32-bit floats as they are. Throws Error(kData) for what a WAV file cannot
/// hold: more than 4 GiB, or more than 65,535 channels.
[[nodiscard]] std::string wav_of(const at::Tensor& samples,
                                 std::int64_t sample_rate, bool is_float);

/// What a WAV file of 16-bit integers begins with. `bytes`: of samples; unset:
/// nobody knows yet, as programs write it that stream.
[[nodiscard]] std::string wav_head(std::int64_t sample_rate,
                                   std::int64_t channels,
                                   std::optional<std::int64_t> bytes);
/// f32[C,T] as 16-bit integers, the channels side by side: what is louder than
/// full scale is cut.
[[nodiscard]] std::vector<std::int16_t> pcm16_of(const at::Tensor& samples);
/// The bytes of integers, little endian.
[[nodiscard]] std::string bytes_of(std::span<const std::int16_t> samples);

}  // namespace penstock::audio

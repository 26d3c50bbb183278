// The sound that a Postprocess is given: its samples, and how many of them a
// second has.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "penstock/decode.h"

namespace penstock::audio {

/// f32[C,T] on the CPU, not empty: the tensor of that name of Decode or, where
/// that gives none, of preprocess. Dims of 1 before the samples are left out.
/// Throws Error(kData) naming the tensors that there are.
[[nodiscard]] at::Tensor sound_of(const Decoded& decoded,
                                  const std::string& name);

/// `said` where it is above 0, else as Decode or preprocess notes it. Throws
/// Error(kData).
[[nodiscard]] std::int64_t rate_of(const Decoded& decoded, std::int64_t said);

}  // namespace penstock::audio

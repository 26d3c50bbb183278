// The triangles that gather FFT bins into mel bands.
#pragma once

#include <ATen/core/Tensor.h>

#include "audio/conventions.h"

namespace penstock::audio {

/// f32[fft / 2 + 1, mels], computed in double.
[[nodiscard]] at::Tensor mel_filters(const Conventions& conventions);

}  // namespace penstock::audio

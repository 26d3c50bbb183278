// A picture of log-mel features: time to the right, high frequencies on top.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace penstock::whisper {

/// A PNG file of log-mel features f32[mels, T], of which `frames` are sound:
/// three pixels a mel, one a frame, fewer beyond 8,000.
[[nodiscard]] std::string draw_spectrogram(const at::Tensor& features,
                                           std::int64_t frames);

}  // namespace penstock::whisper

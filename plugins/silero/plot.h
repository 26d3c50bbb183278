// A plot of a sound, of its probability of speech, and of its segments.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "silero/segmenter.h"

namespace penstock::silero {

struct Heard {
  std::vector<float> probabilities;  ///< one a window, end to end
  std::vector<Segment> segments;
};

/// `waveform` f32[T] in -1..1 at `rate` samples a second; an SVG file.
[[nodiscard]] std::string plot(const at::Tensor& waveform, std::int64_t rate,
                               const Heard& heard);

}  // namespace penstock::silero

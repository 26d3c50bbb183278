// Planes: sound as floats in -1..1, one plane a channel, whatever form the
// decoder gave it in.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/media/ffmpeg.h"

namespace penstock::media {

/// [channels][samples]
using Planes = std::vector<std::vector<float>>;

/// Whether it can be a sample: a number, and at most 65536 times as loud as the
/// loudest that integers have. Files of floats hold anything.
[[nodiscard]] inline bool is_sound(double value) {
  return std::abs(value) <= 65536;  // NaN compares false
}

/// The samples of a decoded frame; integers are divided by their range, so
/// that 16-bit sound is exact. What is_sound() denies is taken as 0: gives how
/// many. Throws Error(kData) for a form that no decoder here gives.
std::int64_t to_planes(const AVFrame& frame, Planes& out);

}  // namespace penstock::media

// Planes: sound as floats in -1..1, one plane a channel, whatever form the
// decoder gave it in.
#pragma once

#include <string>
#include <vector>

#include "lib/media/ffmpeg.h"

namespace penstock::media {

/// [channels][samples]
using Planes = std::vector<std::vector<float>>;

/// The samples of a decoded frame; integers are divided by their range, so
/// that 16-bit sound is exact. Throws Error(kData) for a form that no decoder
/// here gives.
void to_planes(const AVFrame& frame, Planes& out);

}  // namespace penstock::media

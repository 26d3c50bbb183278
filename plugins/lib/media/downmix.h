// Downmix: how much of each channel goes into one, as FFmpeg's swresample has
// it: fronts and centre, surrounds 3 dB below them, nothing of the LFE.
#pragma once

#include <vector>

#include "lib/media/ffmpeg.h"

namespace penstock::media {

/// Shares that add up to 1, one a channel. Of one and two channels, and where
/// FFmpeg knows no way to mix the layout: the mean.
[[nodiscard]] std::vector<float> mono_shares(const AVChannelLayout& layout);
/// Of channels that nobody named: FFmpeg takes six for 5.1, and so on.
[[nodiscard]] std::vector<float> mono_shares(int channels);

}  // namespace penstock::media

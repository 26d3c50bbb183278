#include "audio/mel_filters.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace penstock::audio {
namespace {

// Slaney's scale: linear up to 1000 Hz, then logarithmic.
constexpr double kLinearHz = 200.0 / 3;
constexpr double kBreakHz = 1000;
const double kLogStep = std::log(6.4) / 27;

double to_mel(double hz, MelScale scale) {
  if (scale == MelScale::kHtk) return 2595 * std::log10(1 + hz / 700);
  if (hz < kBreakHz) return hz / kLinearHz;
  return kBreakHz / kLinearHz + std::log(hz / kBreakHz) / kLogStep;
}

double to_hz(double mel, MelScale scale) {
  if (scale == MelScale::kHtk) return 700 * (std::pow(10, mel / 2595) - 1);
  const double broken = kBreakHz / kLinearHz;
  if (mel < broken) return mel * kLinearHz;
  return kBreakHz * std::exp(kLogStep * (mel - broken));
}

}  // namespace

at::Tensor mel_filters(const Conventions& c) {
  const double low = to_mel(c.low, c.scale);
  const double high = to_mel(c.high, c.scale);
  std::vector<double> edges;
  for (std::int64_t i = 0; i < c.mels + 2; ++i) {
    const double mel = low + (high - low) * static_cast<double>(i) /
                                 static_cast<double>(c.mels + 1);
    edges.push_back(to_hz(mel, c.scale));
  }
  const std::int64_t bins = c.fft / 2 + 1;
  auto filters = at::zeros({bins, c.mels}, at::kFloat);
  auto* out = filters.mutable_data_ptr<float>();
  for (std::int64_t bin = 0; bin < bins; ++bin) {
    const double hz =
        static_cast<double>(bin * c.sample_rate) / static_cast<double>(c.fft);
    for (std::size_t m = 0; m < static_cast<std::size_t>(c.mels); ++m) {
      const double up = (hz - edges[m]) / (edges[m + 1] - edges[m]);
      const double down = (edges[m + 2] - hz) / (edges[m + 2] - edges[m + 1]);
      double weight = std::max(0.0, std::min(up, down));
      if (c.norm == MelNorm::kSlaney) weight *= 2 / (edges[m + 2] - edges[m]);
      *out++ = static_cast<float>(weight);
    }
  }
  return filters;
}

}  // namespace penstock::audio

#include "speech/waveform.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/complex.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/fft_irfft.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/polar.h>
#include <ATen/ops/reflection_pad1d.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace penstock::speech {
namespace {

constexpr std::int64_t kWindow = 2 * (kBins - 1);
constexpr std::int64_t kOverlap = kWindow / kHop;
constexpr double kLeastPitch = 40;
constexpr double kMostHarmonic = 11000;
constexpr double kLoudest = 7;  ///< of a log magnitude

at::Tensor window() {
  return at::hann_window(kWindow, /*periodic=*/true, at::kFloat);
}

/// The pitch of each sample, between those of the frames' middles.
class Pitch {
 public:
  explicit Pitch(const at::Tensor& frames)
      : values_(frames.const_data_ptr<float>()), size_(frames.numel()) {}

  [[nodiscard]] double at(std::int64_t sample) const {
    const double place = (static_cast<double>(sample) + 0.5) / kHop - 0.5;
    const double below = std::floor(place);
    const double share = place - below;
    const auto frame = static_cast<std::int64_t>(below);
    return value(frame) * (1 - share) + value(frame + 1) * share;
  }

 private:
  [[nodiscard]] double value(std::int64_t frame) const {
    return values_[std::clamp<std::int64_t>(frame, 0, size_ - 1)];
  }

  const float* values_;
  std::int64_t size_;
};

/// All harmonics of the pitch below 11 kHz, each a cosine of height 1:
/// cos t + ... + cos Ht = sin((H + 1/2) t) / (2 sin(t/2)) - 1/2.
at::Tensor pulses(const at::Tensor& frames) {
  const Pitch pitch(frames);
  const std::int64_t size = frames.numel() * kHop;
  at::Tensor out = at::empty({size}, at::kFloat);
  auto* const samples = out.mutable_data_ptr<float>();
  double turns = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    const double found = pitch.at(i);
    const double hz = std::max(found, kLeastPitch);
    turns += hz / kRate;
    turns -= std::floor(turns);
    if (found <= kLeastPitch) {
      samples[i] = 0;
      continue;
    }
    const double angle = 2 * std::numbers::pi * turns;
    const double count = std::floor(kMostHarmonic / hz) + 0.5;
    const double below = 2 * std::sin(angle / 2);
    const double sum =
        std::abs(below) <= 2e-3 ? count : std::sin(count * angle) / below;
    samples[i] = static_cast<float>(sum - 0.5);
  }
  return out;
}

/// c64[601,F]; a cosine of height 1 has a peak of 1.
at::Tensor spectrum(const at::Tensor& samples, std::int64_t frames) {
  const auto padded =
      at::reflection_pad1d(samples.unsqueeze(0), {kWindow / 2, kWindow / 2})
          .squeeze(0);
  const auto windows = padded.unfold(0, kWindow, kHop).narrow(0, 0, frames);
  const auto scaled = window() * (4.0 / static_cast<double>(kWindow));
  return at::fft_rfft(windows * scaled, {}, 1).t();
}

/// Windows that overlap by three quarters, added up where they lie.
at::Tensor overlapped(const at::Tensor& windows) {
  const std::int64_t frames = windows.size(0);
  const auto shape = window();
  const auto parts = (windows * shape).reshape({frames, kOverlap, kHop});
  const auto weights = (shape * shape).reshape({kOverlap, kHop});
  const auto sum = at::zeros({frames + kOverlap - 1, kHop}, at::kFloat);
  const auto weight = at::zeros_like(sum);
  for (std::int64_t k = 0; k < kOverlap; ++k) {
    sum.narrow(0, k, frames).add_(parts.select(1, k));
    weight.narrow(0, k, frames).add_(weights[k]);
  }
  return (sum / weight.clamp_min(1e-11))
      .reshape({-1})
      .narrow(0, kWindow / 2, frames * kHop)
      .contiguous();
}

at::Tensor magnitude(const at::Tensor& logs) {
  return logs.clamp_max(kLoudest).exp();
}

}  // namespace

at::Tensor waveform_of(const Spectra& spectra, const at::Tensor& random) {
  const std::int64_t frames = spectra.pitch.numel();
  auto sum = spectrum(pulses(spectra.pitch.contiguous()), frames) *
             at::polar(magnitude(spectra.harmonic),
                       spectra.harmonic_phase.tanh() * std::numbers::pi);
  sum.add_(random * magnitude(spectra.noise));
  sum.add_(at::polar(magnitude(spectra.free), spectra.free_phase));
  return overlapped(at::fft_irfft(sum.t(), kWindow, 1));
}

}  // namespace penstock::speech

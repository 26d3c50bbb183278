// The vocoder against hibari's own (tests/golden/make_speech.py), on spectra
// that a formula makes.
#include "speech/waveform.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "penstock/testing/difference.h"

namespace penstock::speech {
namespace {

/// As spectra() of the script makes it.
at::Tensor wave(std::int64_t frames, int k, double seed, double scale,
                double shift) {
  at::Tensor out = at::empty({kBins, frames}, at::kFloat);
  auto* const values = out.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    const double place = static_cast<double>(i) * 0.37 * (k + 1) + seed;
    values[i] = static_cast<float>(std::sin(place) * scale + shift);
  }
  return out;
}

Spectra made_spectra(std::int64_t frames, double seed) {
  Spectra out{.harmonic = wave(frames, 0, seed, 1.5, -2.0),
              .harmonic_phase = wave(frames, 1, seed, 1.0, 0.0),
              .noise = wave(frames, 2, seed, 1.0, -3.0),
              .free = wave(frames, 3, seed, 1.0, -2.5),
              .free_phase = wave(frames, 4, seed, 3.0, 0.0),
              .pitch = at::empty({frames}, at::kFloat)};
  auto* const pitch = out.pitch.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < frames; ++i) {
    const double place = static_cast<double>(i) * 0.3 + seed;
    pitch[i] = static_cast<float>(120.0 + 60.0 * std::sin(place));
    if (i >= frames / 2 && i < frames / 2 + 3) pitch[i] = 0;
  }
  return out;
}

// Sums of 601 terms in fp32, of samples near 1.
TEST(Waveform, IsWhatHibariMakes) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/tests/golden/speech/waves.json");
  const auto cases = nlohmann::json::parse(file);
  ASSERT_EQ(cases.size(), 2U);
  for (const auto& each : cases) {
    const auto frames = each["frames"].get<std::int64_t>();
    auto samples = each["samples"].get<std::vector<float>>();
    const auto got = waveform_of(made_spectra(frames, each["seed"]),
                                 at::zeros({kBins, frames}, at::kComplexFloat));
    ASSERT_EQ(got.numel(), std::ssize(samples));
    const auto wanted = at::from_blob(samples.data(), {got.numel()});
    const float worst = (got - wanted).abs().max().item<float>();
    EXPECT_LT(worst, 2e-4F * wanted.abs().max().item<float>()) << frames;
  }
}

TEST(Waveform, NoiseIsAddedAsItIsShaped) {
  const auto spectra = made_spectra(5, 0);
  const auto without =
      waveform_of(spectra, at::zeros({kBins, 5}, at::kComplexFloat));
  const auto random = at::zeros({kBins, 5}, at::kComplexFloat);
  random.select(0, 30).fill_(c10::complex<float>(1, 0));
  const auto with = waveform_of(spectra, random);
  EXPECT_GT((with - without).abs().max().item<float>(), 1e-5F);
}

}  // namespace
}  // namespace penstock::speech

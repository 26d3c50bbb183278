#include "lib/sound/resampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/plugins/audio/support.h"

namespace penstock::audio {
namespace {

std::vector<float> resample(Resampler& resampler,
                            const std::vector<float>& sound,
                            std::size_t piece) {
  std::vector<float> out;
  for (std::size_t at = 0; at < sound.size(); at += piece) {
    resampler.push(
        std::span(sound).subspan(at, std::min(piece, sound.size() - at)), out);
  }
  resampler.finish(out);
  return out;
}

TEST(SincResampler, GivesTorchaudiosNumbers) {
  for (const auto& row : golden_json("audio/resample.json")) {
    const std::int64_t from = row["from"];
    const std::int64_t to = row["to"];
    const auto sound = noise(row["count"], row["seed"].get<std::uint32_t>());
    const auto got =
        resample(*make_sinc_resampler(from, to), sound, sound.size());
    const auto want = golden_floats("audio/" + row["file"].get<std::string>(),
                                    {row["samples"].get<std::int64_t>()});
    ASSERT_EQ(static_cast<std::int64_t>(got.size()), want.size(0)) << row;
    // Taps and sums are float32, up to 80 of them below 1.
    EXPECT_LE(distance(to_tensor(got), want), 2e-6) << row;
  }
}

TEST(SincResampler, PiecesOfAnySizeGiveTheSameBits) {
  const auto sound = noise(5000, 3);
  const auto whole = resample(*make_sinc_resampler(44100, 16000), sound, 5000);
  for (const std::size_t piece : {1U, 7U, 441U, 1000U}) {
    EXPECT_EQ(resample(*make_sinc_resampler(44100, 16000), sound, piece), whole)
        << piece;
  }
}

TEST(SincResampler, EqualRatesChangeNothing) {
  const auto sound = noise(100, 1);
  EXPECT_EQ(resample(*make_sinc_resampler(16000, 16000), sound, 9), sound);
}

/// Not the same numbers, but the same sound.
TEST(SwrResampler, KeepsATone) {
  std::vector<float> tone;
  tone.reserve(44100);
  for (int i = 0; i < 44100; ++i) {
    tone.push_back(static_cast<float>(0.5 * std::sin(i * 0.05)));
  }
  const auto got = resample(*make_swr_resampler(44100, 16000), tone, 1000);
  ASSERT_NEAR(static_cast<double>(got.size()), 16000, 50);
  for (std::size_t i = 1000; i < 15000; ++i) {
    const double at = static_cast<double>(i) * 44100 / 16000;
    ASSERT_NEAR(got[i], 0.5 * std::sin(at * 0.05), 2e-3) << i;
  }
}

}  // namespace
}  // namespace penstock::audio

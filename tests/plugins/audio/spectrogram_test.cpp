#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audio/log_mel.h"
#include "tests/plugins/audio/support.h"

namespace penstock::audio {
namespace {

using Texts = std::vector<std::pair<std::string, std::string>>;
using ::testing::HasSubstr;

Item spectrum(const Texts& texts, const at::Tensor& sound) {
  Item item;
  item.inputs = {{"waveform", sound}};
  return run_stage<LogMel>(texts, {}, std::move(item));
}

/// The fading noise that the extractors were given.
at::Tensor fading() {
  return to_tensor(noise(20000, 11)) * at::linspace(0, 1, 20000, at::kFloat);
}

TEST(LogMel, WhispersFeaturesAreTransformers) {
  const auto got = get(spectrum({}, fading()).inputs, "features");
  ASSERT_EQ(got.sizes(), (std::vector<std::int64_t>{80, 3000}));
  const auto want = golden_floats("audio/whisper.f32", {80, 150});
  EXPECT_LE(distance(got.index_select(1, at::arange(0, 3000, 20)), want), 1e-4);
}

TEST(LogMel, Gemma3nsFeaturesAreTransformers) {
  const auto made =
      spectrum({{"preset", "gemma3n"}}, fading().narrow(0, 0, 7000));
  const auto golden = golden_json("audio/extractors.json");
  const auto want = golden_floats(
      "audio/gemma3n.f32", golden["gemma3n"].get<std::vector<std::int64_t>>());
  // The logarithm of what is near its floor, 1e-5, enlarges float32's errors.
  EXPECT_LE(distance(get(made.inputs, "features"), want), 5e-4);
  const auto mask = get(made.inputs, "mask");
  const std::vector<bool> wanted = golden["gemma3n_mask"];
  ASSERT_EQ(static_cast<std::size_t>(mask.size(0)), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(mask[static_cast<std::int64_t>(i)].item<bool>(), wanted[i]) << i;
  }
}

TEST(LogMel, EveryConventionIsTorchaudios) {
  for (const auto& row : golden_json("audio/mels.json")) {
    Texts texts = {{"log", "none"},     {"scaling", "none"}, {"pad_to", "0"},
                   {"drop_last", "no"}, {"high", "8000"},    {"low", "0"}};
    for (const auto& [name, value] : row["params"].items()) {
      texts.emplace_back(
          name, value.is_string() ? value.get<std::string>() : value.dump());
    }
    const auto got =
        get(spectrum(texts, to_tensor(noise(3000, 5))).inputs, "features");
    const auto want =
        golden_floats("audio/" + row["file"].get<std::string>(),
                      row["shape"].get<std::vector<std::int64_t>>());
    // Sums of up to 256 float32 energies: relative to the largest.
    const auto largest = want.max().item<double>();
    EXPECT_LE(distance(got, want), 2e-5 * largest) << row;
  }
}

TEST(LogMel, SilenceIsTheFloorEverywhere) {
  const auto got =
      get(spectrum({}, at::zeros({16000}, at::kFloat)).inputs, "features");
  EXPECT_EQ(got.min().item<float>(), -1.5F);
  EXPECT_EQ(got.max().item<float>(), -1.5F);
}

TEST(LogMel, OneSampleIsPaddedToAWindow) {
  const auto got = get(spectrum({}, to_tensor({0.5F})).inputs, "features");
  EXPECT_EQ(got.size(1), 3000);
}

TEST(LogMel, LongSoundGoesOnBeyondTheWindow) {
  const auto made = spectrum({}, at::zeros({500000}, at::kFloat));
  EXPECT_EQ(get(made.inputs, "features").size(1), 3125);
  EXPECT_EQ(find(made.inputs, "waveform"), nullptr);
}

void expect_error(const Texts& texts, const at::Tensor& sound,
                  const std::string& text) {
  try {
    (void)spectrum(texts, sound);
    FAIL() << "no error: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr(text));
  }
}

TEST(LogMel, SaysWhatDoesNotGoTogether) {
  const auto sound = at::zeros({100}, at::kFloat);
  expect_error({{"window", "500"}}, sound, "do not fit into an FFT of 400");
  expect_error({{"high", "9000"}}, sound, "half the sample rate");
  expect_error({{"pre_emphasis", "htk"}}, sound, "centre: frames");
  expect_error({{"power", "0"}}, sound, "power: 1 or 2");
  expect_error({{"hop", "0"}}, sound, "are at least");
  expect_error({{"pad_to", "0"}}, sound, "a frame needs over 200");
  expect_error({{"preset", "gemma3n"}}, sound, "a frame needs 513");
}

TEST(LogMel, RefusesAnotherRate) {
  Item item;
  item.inputs = {{"waveform", at::zeros({100}, at::kFloat)}};
  item.notes["sample_rate"] = std::int64_t{8000};
  EXPECT_THROW((void)run_stage<LogMel>({}, {}, std::move(item)), Error);
}

}  // namespace
}  // namespace penstock::audio

// audio.save: the samples come back from the file as audio.waveform reads it.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "audio/wav.h"
#include "penstock/keys.h"
#include "penstock/testing/difference.h"
#include "penstock/testing/run_stage.h"

namespace penstock::audio {
namespace {

using ::testing::HasSubstr;

at::Tensor tone() { return (at::arange(800, at::kFloat) * 0.1).sin() * 0.5; }

at::Tensor read_again(const std::string& wav, const std::string& more = "") {
  Media media;
  media.name = "tone.wav";
  media.bytes = std::make_shared<const std::string>(wav);
  const auto made =
      testing::run_stage("{use: audio.waveform, sample_rate: 0" + more + "}",
                         {.inputs = {{"audio", media}}});
  EXPECT_EQ(get(made.items.at(0).notes, kSampleRate), 8000);
  return get(made.items.at(0).inputs, "waveform");
}

TEST(Wav, FloatsComeBackAsTheyAre) {
  EXPECT_EQ(testing::difference(
                read_again(wav_of(tone().unsqueeze(0), 8000, true)), tone()),
            "");
}

TEST(Wav, IntegersComeBackWithinHalfAStep) {
  const auto got = read_again(wav_of(tone().unsqueeze(0), 8000, false));
  EXPECT_LE((got - tone()).abs().max().item<float>(), 1.0F / 32767);
}

TEST(Wav, ChannelsStaySideBySide) {
  const auto two = at::stack({tone(), -tone()});
  const std::string wav = wav_of(two, 8000, true);
  EXPECT_EQ(testing::difference(read_again(wav, ", channel: 2"), -tone()), "");
}

TEST(Wav, WhatIsBeyondFullScaleIsCut) {
  const auto loud = at::tensor({2.0F, -2.0F, std::nanf(""), 1.0F});
  const auto wav = wav_of(loud.unsqueeze(0), 8000, false);
  EXPECT_EQ(wav.substr(44), std::string("\xFF\x7F\x01\x80\0\0\xFF\x7F", 8));
}

Decoded decoded_of(Tensors tensors) {
  Decoded decoded;
  decoded.tensors = std::move(tensors);
  return decoded;
}

std::string saved(const std::string& params, const Tensors& tensors,
                  const Notes& notes = {}) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "sounds";
  testing::Given given;
  given.items = {{.notes = notes}};
  given.decoded = {decoded_of(tensors)};
  std::string said;
  try {
    said = testing::run_stage("{use: audio.save, folder: '" + folder.string() +
                                  "'" + params + "}",
                              given)
               .outcome.json();
  } catch (const Error& error) {
    said = error.what();
  }
  std::filesystem::remove_all(folder);
  return said;
}

TEST(Save, SaysWhereAndHowLong) {
  Notes notes;
  set(notes, kSampleRate, 8000);
  EXPECT_THAT(saved("", {{"waveform", tone()}}, notes),
              HasSubstr(R"(.wav","seconds":0.1,"sample_rate":8000)"));
  EXPECT_THAT(saved(", sample_rate: 400", {{"waveform", tone()}}, notes),
              HasSubstr(R"("seconds":2.0,"sample_rate":400)"));
}

TEST(Save, RefusesWhatIsNoSound) {
  EXPECT_THAT(saved("", {{"waveform", tone()}}),
              HasSubstr("set postprocess.sample_rate"));
  EXPECT_THAT(saved(", sample_rate: 8000", {{"x", tone()}}),
              HasSubstr("no tensor 'waveform': decode gives 'x'"));
  EXPECT_THAT(
      saved(", sample_rate: 8000", {{"waveform", at::full({3}, 1, at::kLong)}}),
      HasSubstr("'waveform' is Long with 1 dims and 3 numbers"));
  EXPECT_THAT(saved(", sample_rate: 8000",
                    {{"waveform", at::full({0}, 1, at::kFloat)}}),
              HasSubstr("not empty"));
}

}  // namespace
}  // namespace penstock::audio

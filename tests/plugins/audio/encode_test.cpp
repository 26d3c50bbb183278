// audio.encode: the samples come back from each format as audio.waveform reads
// it, and what was made piece by piece is one stream.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "penstock/keys.h"
#include "penstock/testing/run_stage.h"

namespace penstock::audio {
namespace {

using ::testing::HasSubstr;
using EncodedJson = nlohmann::json;

at::Tensor wave(std::int64_t size, double step) {
  return (at::arange(size, at::kFloat) * step).sin() * 0.5;
}

struct Encoded {
  std::string bytes;
  std::size_t pieces = 0;
  EncodedJson json;
  std::string text;
};

Encoded encoded(const std::string& params,
                const std::vector<at::Tensor>& sounds,
                std::int64_t rate = 24000) {
  testing::Given given;
  given.items = {{.notes = {}}};
  set(given.items[0].notes, kText, "Hello.");
  for (const at::Tensor& sound : sounds) {
    Decoded& decoded = given.decoded.emplace_back();
    decoded.tensors = {{"waveform", sound}};
    if (rate > 0) set(decoded.notes, kSampleRate, rate);
  }
  const auto made =
      testing::run_stage("{use: audio.encode" + params + "}", given);
  Encoded out;
  for (const Value& value : made.outcome.pieces.at(0)) {
    if (const auto* media = std::get_if<Media>(&value)) {
      out.bytes += *media->bytes;
      ++out.pieces;
    }
  }
  out.json = EncodedJson::parse(made.outcome.json());
  out.text = made.outcome.text();
  return out;
}

std::string problem(const std::string& params,
                    const std::vector<at::Tensor>& sounds,
                    std::int64_t rate = 24000) {
  try {
    return encoded(params, sounds, rate).json.dump();
  } catch (const Error& error) {
    return error.what();
  }
}

at::Tensor read_back(const std::string& bytes, const std::string& name) {
  Media media;
  media.name = name;
  media.bytes = std::make_shared<const std::string>(bytes);
  const auto made = testing::run_stage("{use: audio.waveform, sample_rate: 0}",
                                       {.inputs = {{"audio", media}}});
  EXPECT_EQ(get(made.items.at(0).notes, kSampleRate), 24000);
  return get(made.items.at(0).inputs, "waveform");
}

void expect_near(const at::Tensor& got, const at::Tensor& wanted) {
  ASSERT_EQ(got.sizes(), wanted.sizes());
  EXPECT_LE((got - wanted).abs().max().item<float>(), 1.0F / 32767);
}

TEST(Encode, PiecesAreOneStreamInEachFormat) {
  const std::vector<at::Tensor> parts{wave(7001, 0.1), wave(300, 0.02),
                                      wave(9000, 0.3)};
  const Encoded wav = encoded("", parts);
  EXPECT_EQ(wav.pieces, 4U);  // its head comes first
  expect_near(read_back(wav.bytes, "a.wav"), at::cat(parts));
  const Encoded flac = encoded(", format: flac", parts);
  EXPECT_LT(flac.bytes.size(), wav.bytes.size());
  expect_near(read_back(flac.bytes, "a.flac"), at::cat(parts));
  EXPECT_EQ(encoded(", format: raw", parts).bytes, wav.bytes.substr(44));
}

TEST(Encode, SaysWhatWasSaidWhen) {
  const auto json = encoded("", {wave(12000, 0.1), wave(24000, 0.1)}).json;
  EXPECT_EQ(json["segments"][1],
            EncodedJson({{"text", "Hello."}, {"begin", 0.5}, {"end", 1.5}}));
  EXPECT_EQ(json["seconds"], 1.5);
  EXPECT_EQ(json["format"], "wav");
  EXPECT_FALSE(json.contains("file"));
}

TEST(Encode, WritesFilesWithTheirLength) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "encoded";
  const auto made = encoded(", folder: '" + folder.string() + "'",
                            {wave(2400, 0.1), wave(2400, 0.2)});
  EXPECT_EQ(made.pieces, 0U);
  EXPECT_EQ(made.text, made.json["file"].get<std::string>());
  std::stringstream bytes;
  bytes << std::ifstream(made.text, std::ios::binary).rdbuf();
  std::filesystem::remove_all(folder);
  EXPECT_EQ(bytes.str().size(), 44U + 9600U);
  EXPECT_EQ(bytes.str().substr(40, 4), std::string("\x80\x25\0\0", 4));
}

TEST(Encode, TakesStereoAndDimsOfOne) {
  const auto two = at::stack({wave(50, 0.1), wave(50, 0.2)});
  EXPECT_EQ(encoded(", format: raw", {two}).bytes.size(), 200U);
  const auto deep = wave(50, 0.1).reshape({1, 1, 1, 50});
  EXPECT_EQ(encoded(", format: raw", {deep}).bytes.size(), 100U);
}

TEST(Encode, FaultsSayWhatWasGiven) {
  EXPECT_THAT(problem("", {wave(5, 1).to(at::kLong)}), HasSubstr("a sound is"));
  EXPECT_THAT(problem(", tensor: other", {wave(5, 1)}),
              HasSubstr("no tensor 'other': decode gives 'waveform'"));
  EXPECT_THAT(problem("", {wave(5, 1)}, 0),
              HasSubstr("postprocess.sample_rate"));
  EXPECT_THAT(problem("", {wave(50, 1), at::stack({wave(50, 1), wave(50, 1)})}),
              HasSubstr("goes on with 2 channels"));
  EXPECT_THAT(problem(", folder: /proc/none", {wave(5, 1)}),
              HasSubstr("/proc/none"));
}

}  // namespace
}  // namespace penstock::audio

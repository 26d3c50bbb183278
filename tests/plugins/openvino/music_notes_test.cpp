// pipelines/music_notes.yaml: the notes that Basic Pitch's own package hears in
// the same tune.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "penstock/media.h"
#include "tests/plugins/lib/media/wav_file.h"
#include "tests/plugins/openvino/packaged.h"

namespace penstock::testing {
namespace {

using NotesJson = nlohmann::json;

/// As tests/golden/make_notes.py plays it.
Media played(const NotesJson& golden) {
  const double rate = golden["rate"];
  std::vector<double> sound(static_cast<std::size_t>(
      std::lround(golden["seconds"].get<double>() * rate)));
  for (const auto& note : golden["tune"]) {
    const double begin = note[0];
    const double end = note[1];
    const double hertz = 440 * std::exp2((note[2].get<double>() - 69) / 12);
    const auto first = std::lround(begin * rate);
    for (auto i = first; i < std::lround(end * rate); ++i) {
      const double time = static_cast<double>(i - first) / rate;
      const double swell = std::min(1.0, time / 0.01) *
                           std::min(1.0, (end - begin - time) / 0.03) *
                           std::exp(-1.5 * time);
      for (int harmonic = 1; harmonic <= 4; ++harmonic) {
        sound[static_cast<std::size_t>(i)] +=
            0.15 * swell *
            std::sin(2 * std::numbers::pi * harmonic * hertz * time) / harmonic;
      }
    }
  }
  std::vector<int> samples;
  for (const double x : sound) {
    samples.push_back(static_cast<int>(std::nearbyint(x * 32767)));
  }
  Media media;
  media.name = "tune.wav";
  media.bytes =
      media::shared(media::to_bytes({.rate = static_cast<std::uint32_t>(rate),
                                     .data = media::int16_data(samples)}));
  return media;
}

TEST(MusicNotes, AreThoseOfBasicPitch) {
  const auto golden = golden_json("notes/tune.json");
  PipelineOf pipeline("music_notes.yaml");
  const auto got = pipeline.run("audio", played(golden))["notes"];
  const auto& wanted = golden["heard"];
  ASSERT_EQ(got.size(), wanted.size());
  // Less than a frame apart: 256 of 22,050 samples a second. One more or less
  // at the end of a faint note shows in its loudness.
  constexpr double kFrame = 256.0 / 22050;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i]["pitch"], wanted[i]["pitch"]) << i;
    EXPECT_NEAR(got[i]["begin"].get<double>(), wanted[i]["begin"], kFrame) << i;
    EXPECT_NEAR(got[i]["end"].get<double>(), wanted[i]["end"], kFrame) << i;
    EXPECT_NEAR(got[i]["loudness"].get<double>(), wanted[i]["loudness"], 0.01)
        << i;
  }
  EXPECT_EQ(got[0]["name"], "C4");
}

TEST(MusicNotes, OfSilenceAreNone) {
  NotesJson silence = golden_json("notes/tune.json");
  silence["tune"] = NotesJson::array();
  silence["seconds"] = 0.001;
  PipelineOf pipeline("music_notes.yaml");
  EXPECT_TRUE(pipeline.run("audio", played(silence))["notes"].empty());
}

}  // namespace
}  // namespace penstock::testing

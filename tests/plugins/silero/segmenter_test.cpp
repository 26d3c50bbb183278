#include "silero/segmenter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/plugins/audio/support.h"

namespace penstock::silero {
namespace {

/// The made-up probabilities of tests/golden/make_silero.py.
std::vector<double> made_up(int count, std::uint32_t seed) {
  std::vector<double> out;
  double level = 0;
  for (int i = 0; i < count; ++i) {
    seed = 1664525U * seed + 1013904223U;
    const double u = static_cast<double>(seed >> 8U) / (1 << 23) - 1;
    level = 0.8 * level + 0.2 * u;
    out.push_back(std::clamp(0.5 + 2 * level, 0.0, 1.0));
  }
  return out;
}

SegmentRules rules_of(const nlohmann::json& set) {
  SegmentRules rules;
  rules.threshold = set.value("threshold", rules.threshold);
  rules.end_threshold =
      set.value("neg_threshold", std::max(rules.threshold - 0.15, 0.01));
  rules.min_speech_ms =
      set.value("min_speech_duration_ms", rules.min_speech_ms);
  rules.min_silence_ms =
      set.value("min_silence_duration_ms", rules.min_silence_ms);
  rules.pad_ms = set.value("speech_pad_ms", rules.pad_ms);
  rules.max_speech_s = set.value("max_speech_duration_s", rules.max_speech_s);
  return rules;
}

std::vector<Segment> segments_of(const nlohmann::json& rows) {
  std::vector<Segment> out;
  for (const auto& row : rows) out.push_back({.begin = row[0], .end = row[1]});
  return out;
}

TEST(Segmenter, FollowsTheReferencesRules) {
  int found = 0;
  for (const auto& row : audio::golden_json("silero/rules.json")) {
    const std::int64_t rate = row["rate"];
    Segmenter segmenter(rules_of(row["set"]), rate, rate == 16000 ? 512 : 256);
    std::vector<Segment> got;
    for (const double p : made_up(row["count"], row["seed"])) {
      segmenter.push(p, got);
    }
    segmenter.finish(row["length"], got);
    EXPECT_EQ(got, segments_of(row["segments"])) << row;
    found += static_cast<int>(got.size());
  }
  EXPECT_GE(found, 100);
}

TEST(Segmenter, TellsASegmentAsSoonAsItIsCertain) {
  Segmenter segmenter({}, 16000, 512);
  std::vector<Segment> got;
  for (int i = 0; i < 20; ++i) segmenter.push(0.9, got);
  EXPECT_TRUE(got.empty());
  for (int i = 0; i < 5; ++i) segmenter.push(0.1, got);
  EXPECT_EQ(got, (std::vector<Segment>{{.begin = 0, .end = 20 * 512 + 480}}));
}

TEST(Segmenter, ASoundOfNothingHasNone) {
  Segmenter segmenter({}, 16000, 512);
  std::vector<Segment> got;
  segmenter.finish(0, got);
  EXPECT_TRUE(got.empty());
}

}  // namespace
}  // namespace penstock::silero

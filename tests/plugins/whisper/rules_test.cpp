#include "whisper/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/plugins/whisper/small_vocabulary.h"
#include "whisper/transcript.h"

namespace penstock::whisper {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

/// Times of the small vocabulary: 0, 20, 40 ms ...
std::int64_t time(std::int64_t steps) { return kFirstTime + steps; }

std::vector<std::int64_t> allowed(const Tokens& said,
                                  std::vector<float> scores = {}) {
  const Vocabulary words = small_vocabulary();
  if (scores.empty()) {
    scores.assign(kVocab, 0);
    // Words are likelier than times, unless a rule says otherwise.
    for (int i = 0; i <= kEnd; ++i) scores[static_cast<std::size_t>(i)] = 20;
  }
  apply_time_rules(scores, words, said, /*max_first=*/2);
  suppress(scores, words, said);
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] != kNever) out.push_back(static_cast<std::int64_t>(i));
  }
  return out;
}

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Lt;
using ::testing::Not;

TEST(TimeRules, ATimeComesFirstAndSoon) {
  EXPECT_THAT(allowed({}), ElementsAre(time(0), time(1), time(2)));
}

TEST(TimeRules, AfterTheFirstTimeComesText) {
  EXPECT_THAT(allowed({time(1)}), Each(Lt(kFirstTime)));
}

TEST(TimeRules, AfterTextATimeIsLaterThanTheLast) {
  const auto got = allowed({time(3), 1});
  EXPECT_THAT(got, Contains(2));
  EXPECT_THAT(got, Not(Contains(time(3))));
  EXPECT_THAT(got, Contains(time(4)));
}

TEST(TimeRules, AfterAClosingTimeComesATimeOrTheEnd) {
  const auto got = allowed({time(0), 1, time(4)});
  EXPECT_THAT(got, Each(Ge(kEnd)));
  EXPECT_THAT(got, Contains(kEnd));
  EXPECT_THAT(got, Contains(time(4)));
  EXPECT_THAT(got, Not(Contains(time(3))));
}

TEST(TimeRules, AfterAPairOfTimesComesText) {
  EXPECT_THAT(allowed({time(0), 1, time(4), time(4)}), Each(Lt(kFirstTime)));
}

TEST(TimeRules, ATimeThatIsLikelierThanEveryWordIsSaid) {
  std::vector<float> scores(kVocab, 0);
  scores[2] = 1;  // exp(1) < the times' sum
  EXPECT_THAT(allowed({time(0), 1}, scores), Each(Ge(kFirstTime)));
}

TEST(Rules, SuppressedTokensAreNeverSaid) {
  EXPECT_THAT(allowed({time(0)}), Not(Contains(3)));
  EXPECT_THAT(allowed({time(0), 1}), Not(Contains(3)));
}

TEST(Item, IsTheSameForTheSamePlaceAndFollowsTheScores) {
  const std::vector<float> scores = {0, std::log(3.0F), kNever};
  std::vector<int> count(3);
  for (std::uint64_t place = 0; place < 4000; ++place) {
    const auto token = sample(scores, 1, 7, place);
    EXPECT_EQ(token, sample(scores, 1, 7, place));
    ++count.at(static_cast<std::size_t>(token));
  }
  EXPECT_NEAR(count[1], 3000, 150);
  EXPECT_EQ(count[2], 0);
}

TEST(CompressionRatio, IsHighForRepetitions) {
  EXPECT_GT(compression_ratio(std::string(200, 'A')), 10);
  EXPECT_LT(compression_ratio("He was not an ill disposed young man."), 1.2);
  EXPECT_EQ(compression_ratio(""), 0);
}

TEST(TextOf, LeavesTimesOut) {
  const Tokens said = {time(0), 0, 1, time(4), kEnd};
  EXPECT_EQ(text_of(small_vocabulary(), said), "a b");
}

struct RulesCase {
  std::string name;
  Tokens said;
  std::vector<Segment> segments;
  std::int64_t frames;
};
void PrintTo(const RulesCase& c, std::ostream* out) { *out << c.name; }

class Understand : public ::testing::TestWithParam<RulesCase> {};

TEST_P(Understand, FindsSegmentsAndWhereToGoOn) {
  const auto got =
      split_segments(GetParam().said, small_vocabulary(), /*frames=*/2000);
  EXPECT_EQ(got.segments, GetParam().segments);
  EXPECT_EQ(got.frames, GetParam().frames);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Understand,
    ::testing::ValuesIn(std::vector<RulesCase>{
        {"no_times", {0, 1}, {{0, 1000, 0, 2}}, 2000},
        {"one_segment", {time(0), 0, time(9)}, {{0, 9, 0, 3}}, 2000},
        {"end_alone", {time(0), 0, 1}, {{0, 1000, 0, 3}}, 2000},
        {"two_and_a_single_time",
         {time(0), 0, time(4), time(5), 1, time(9)},
         {{0, 4, 0, 3}, {5, 9, 3, 6}},
         2000},
        {"the_rest_is_heard_again",
         {time(0), 0, time(4), time(5), 1},
         {{0, 4, 0, 3}},
         8},
        {"ends_with_a_pair",
         {time(0), 0, time(4), time(4), 1, time(6), time(6)},
         {{0, 4, 0, 3}, {4, 6, 3, 6}},
         12},
    }),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace penstock::whisper

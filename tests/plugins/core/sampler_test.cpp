// Which tokens stay and with what probability, by hand; the random numbers.
#include "core/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "penstock/error.h"

namespace penstock::core {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

struct SamplerCase {
  std::string name;
  std::vector<float> scores;
  Sampling sampling;
  std::vector<double> wanted;
};
void PrintTo(const SamplerCase& c, std::ostream* os) { *os << c.name; }

/// Token i has the i-th score.
std::vector<Candidate> candidates(const std::vector<float>& scores) {
  std::vector<Candidate> out;
  out.reserve(scores.size());
  for (const float score : scores) {
    out.push_back({static_cast<std::int64_t>(out.size()), score, score});
  }
  return out;
}

class Kept : public ::testing::TestWithParam<SamplerCase> {};

TEST_P(Kept, HasTheProbabilitiesOfTheFormula) {
  const SamplerCase& c = GetParam();
  std::vector<double> got;
  for (const auto& each : kept(candidates(c.scores), c.sampling)) {
    got.push_back(each.probability);
  }
  EXPECT_THAT(got, Pointwise(DoubleNear(1e-6), c.wanted));
}

const float kLn2 = std::log(2.0F);

INSTANTIATE_TEST_SUITE_P(
    Table, Kept,
    ::testing::ValuesIn<SamplerCase>({
        {"Ln2GivesTwoToOne", {kLn2, 0}, {.temperature = 1}, {2 / 3., 1 / 3.}},
        {"HalfTheTemperatureSquaresTheRatio",
         {kLn2, 0},
         {.temperature = 0.5},
         {0.8, 0.2}},
        {"TopKKeepsTheFirst",
         {3, 2, 1, 0},
         {.temperature = 1, .top_k = 2},
         {0.7310586, 0.2689414}},
        {"TopKKeepsTheEqualsOfItsLast",
         {3, 2, 2, 2, 0},
         {.temperature = 1, .top_k = 2},
         {0.4753668, 0.1748777, 0.1748777, 0.1748777}},
        {"TypicalPDropsTheObvious",
         {4 * kLn2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
         {.temperature = 1, .typical_p = 0.4},
         std::vector<double>(12, 1 / 12.)},
        {"TopKBeyondTheEnd",
         {0, 0},
         {.temperature = 1, .top_k = 9},
         {0.5, 0.5}},
        {"TheTokenThatCrossesTopPStays",
         {2 * kLn2, kLn2, 0, 0},
         {.temperature = 1, .top_p = 0.6},
         {2 / 3., 1 / 3.}},
        {"TopPMetExactlyKeepsNoMore",
         {kLn2, 0, 0},
         {.temperature = 1, .top_p = 0.5},
         {1}},
        {"TinyTopPKeepsOne", {0, 0, 0}, {.temperature = 1, .top_p = 1e-9}, {1}},
        {"MinPIsAShareOfTheBest",
         {2 * kLn2, kLn2, 0},
         {.temperature = 1, .min_p = 0.4},
         {2 / 3., 1 / 3.}},
        {"MinPOfOneKeepsTheBest",
         {1, 0.5, 0},
         {.temperature = 1, .min_p = 1},
         {1}},
        {"TopKComesBeforeTopP",
         {2 * kLn2, kLn2, 0, 0, 0},
         {.temperature = 1, .top_k = 2, .top_p = 0.6},
         {1}},
        {"HugeScoresDoNotOverflow", {1e4F, 0}, {.temperature = 1}, {1, 0}},
        {"OneToken", {-7}, {.temperature = 2}, {1}},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Kept, OfEqualsTopPKeepsTheHigherIds) {
  const auto stay =
      kept(candidates({0, 0, 0, 0}), {.temperature = 1, .top_p = 0.5});
  ASSERT_EQ(stay.size(), 2);
  EXPECT_EQ(stay[0].id, 3);
  EXPECT_EQ(stay[1].id, 2);
}

TEST(Draw, NeverTakesWhatIsBanned) {
  const float banned = -std::numeric_limits<float>::infinity();
  const std::vector<float> scores{banned, 1, banned};
  for (const double temperature : {0.0, 1.0, 1e-30}) {
    const Sampling sampling{.temperature = temperature};
    EXPECT_EQ(draw(candidates(scores), sampling, 1 - 1e-17).id, 1);
  }
  EXPECT_THROW((void)draw(candidates({banned}), {.temperature = 1}, 0), Error);
  EXPECT_THROW((void)draw(candidates({banned}), {}, 0), Error);
}

TEST(Draw, FollowsTheCumulativeProbabilities) {
  const std::vector<float> scores{2 * kLn2, kLn2, kLn2};  // 1/2 1/4 1/4
  const Sampling sampling{.temperature = 1};
  EXPECT_EQ(draw(candidates(scores), sampling, 0).id, 0);
  EXPECT_EQ(draw(candidates(scores), sampling, 0.49).id, 0);
  EXPECT_EQ(draw(candidates(scores), sampling, 0.51).id, 2);
  EXPECT_EQ(draw(candidates(scores), sampling, 0.76).id, 1);
  EXPECT_EQ(draw(candidates(scores), sampling, 1 - 1e-17).id, 1);
  EXPECT_EQ(draw(candidates(scores), {.temperature = 0}, 0.99).id, 0);
}

}  // namespace
}  // namespace penstock::core

// stage_faults() passes good stages of every kind and finds planted faults.
#include "penstock/testing/stage_faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<GivenItem> kPrompts{
    {.tokens = {3, 1, 4, 1, 5, 9, 2, 6}},
    {.tokens = {2, 7, 1, 8, 2, 8, 1, 8, 2, 8}},
};

std::vector<float> counting_scores(const Tokens& tokens) {
  std::vector<float> scores(10);
  scores[static_cast<std::size_t>((tokens.back() + 1) % 10)] = 1;
  return scores;
}

TEST(StageFaults, HasNoneOfGoodStages) {
  EXPECT_EQ(stage_faults("{use: echo.bytes}", {.inputs = {{"text", "Hi"}}}),
            "");
  EXPECT_EQ(stage_faults("{use: core.continuous, chunk: 3}",
                         {.items = kPrompts, .new_tokens = 4}),
            "");
  EXPECT_EQ(
      stage_faults("{use: core.pad}", {.items = kPrompts, .new_tokens = 4}),
      "");
  EXPECT_EQ(
      stage_faults("{use: echo.forward}", {.items = kPrompts, .new_tokens = 3}),
      "");
  EXPECT_EQ(stage_faults("{use: core.sample, temperature: 1, seed: 7}",
                         {.items = kPrompts, .scores = counting_scores}),
            "");
  Decoded decoded;
  decoded.tokens = {72, 105};
  EXPECT_EQ(stage_faults("{use: echo.text}", {.decoded = {decoded, decoded}}),
            "");
}

TEST(StageFaults, FindsARequestThatLeavesSomethingBehind) {
  EXPECT_THAT(stage_faults("{use: bad.counts}"),
              StartsWith("a second request: item 0: other tokens"));
}

TEST(StageFaults, FindsAForwardThatLooksAtItsNeighbours) {
  EXPECT_THAT(
      stage_faults("{use: bad.neighbours}", {.items = {{.tokens = {1, 2}}}}),
      HasSubstr("24 requests at once: 'item 0, scores': "));
}

TEST(StageFaults, FindsStateThatIsNotCut) {
  EXPECT_THAT(stage_faults("{use: bad.sums}", {.items = kPrompts}),
              HasSubstr("state: rolled back by 1"));
  EXPECT_EQ(stage_faults("{use: bad.sums, cuts: true}", {.items = kPrompts}),
            "");
}

}  // namespace
}  // namespace penstock::testing

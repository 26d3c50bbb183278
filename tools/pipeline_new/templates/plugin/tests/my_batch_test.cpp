#include <gtest/gtest.h>

#include "penstock/testing/run_stage.h"
#include "penstock/testing/stage_faults.h"

namespace my_plugin {
namespace {

using penstock::testing::GivenItem;
using penstock::testing::run_stage;
using penstock::testing::stage_faults;

TEST(MyBatch, RunsNoMoreSequencesAtOnceThanItMay) {
  const std::vector<GivenItem> items{
      {.tokens = {1, 2}}, {.tokens = {3}}, {.tokens = {4, 5, 6}}};
  const auto made = run_stage("{use: my_plugin.my_batch, max_sequences: 2}",
                              {.items = items, .new_tokens = 2});
  EXPECT_EQ(made.decoded.size(), items.size() * 2);
  for (const auto& step : made.steps) EXPECT_LE(step.slices.size(), 2U);
}

TEST(MyBatch, PutsTokensEndToEnd) {
  const auto made = run_stage("{use: my_plugin.my_batch}",
                              {.items = {{.tokens = {7, 8, 9}}}});
  const auto& tokens = penstock::get(made.steps.at(0).inputs, "tokens");
  ASSERT_EQ(tokens.numel(), 3);
  EXPECT_EQ(tokens[0].item<std::int64_t>(), 7);
  EXPECT_EQ(tokens[2].item<std::int64_t>(), 9);
}

TEST(MyBatch, DoesWhatEveryStageMust) {
  EXPECT_EQ(stage_faults("{use: my_plugin.my_batch}",
                         {.items = {{.tokens = {1, 2}}, {.tokens = {3}}},
                          .new_tokens = 3}),
            "");
}

}  // namespace
}  // namespace my_plugin

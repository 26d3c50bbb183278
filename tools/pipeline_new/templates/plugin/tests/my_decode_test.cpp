#include <gtest/gtest.h>

#include "penstock/keys.h"
#include "penstock/testing/run_stage.h"
#include "penstock/testing/stage_faults.h"

namespace my_plugin {
namespace {

using penstock::Finish;
using penstock::Tokens;
using penstock::testing::run_stage;
using penstock::testing::stage_faults;

/// A model that counts: after token n comes n + 1, of 10.
std::vector<float> counting(const Tokens& tokens) {
  std::vector<float> scores(10);
  scores[static_cast<std::size_t>((tokens.back() + 1) % 10)] = 1;
  return scores;
}

TEST(MyDecode, TakesTheBestTokenSoManyTimes) {
  const auto made = run_stage("{use: my_plugin.my_decode, max_new_tokens: 3}",
                              {.items = {{.tokens = {4}}}, .scores = counting});
  EXPECT_EQ(made.outcome.report.token_ids, (Tokens{5, 6, 7}));
  EXPECT_EQ(made.decoded.back().finish, Finish::kLength);
}

TEST(MyDecode, EndsWhereTheModelDoes) {
  const penstock::Notes facts{{penstock::kEosIds.name, Tokens{6}}};
  const auto made = run_stage(
      "{use: my_plugin.my_decode}",
      {.items = {{.tokens = {4}}}, .scores = counting, .facts = facts});
  EXPECT_EQ(made.outcome.report.token_ids, (Tokens{5, 6}));
  EXPECT_EQ(made.decoded.back().finish, Finish::kStopId);
}

TEST(MyDecode, DoesWhatEveryStageMust) {
  EXPECT_EQ(stage_faults("{use: my_plugin.my_decode}",
                         {.items = {{.tokens = {4}}}, .scores = counting}),
            "");
}

}  // namespace
}  // namespace my_plugin

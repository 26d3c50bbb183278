// Fairness between clients: whose prompt is next, and who has how much.
#include <gtest/gtest.h>

#include "core/fair_shares.h"
#include "tests/plugins/core/loop.h"

namespace penstock::core {
namespace {

const Continuous::Params kFour{.max_sequences = 4, .max_wait_ms = 0};

/// Each of them has `depth` requests waiting before every step, of mixed sizes.
void run_busy(Loop& loop, std::vector<Loop::Asked> clients, int steps,
              std::size_t depth = 5) {
  int turn = 0;
  for (int i = 0; i < steps; ++i) {
    for (Loop::Asked& asked : clients) {
      while (loop.waiting(asked.client) < depth) {
        asked.prompt = 10 + 7 * (turn % 11);
        asked.answer = 5 + 3 * (turn++ % 13);
        loop.add(asked);
      }
    }
    loop.step();
  }
}

/// Tokens that clients had since `before`.
double ratio(const Loop& loop, std::map<std::string, double> before,
             const std::string& a, const std::string& b) {
  return (loop.tokens.at(a) - before[a]) / (loop.tokens.at(b) - before[b]);
}

using Counts = std::vector<std::vector<std::pair<int, std::int64_t>>>;
Counts counts_of_steps(const Loop& loop) {
  Counts out;
  for (const auto& plan : loop.plans) {
    auto& step = out.emplace_back();
    for (const Slice& slice : plan) {
      step.emplace_back(loop.number(*slice.sequence), slice.count);
    }
  }
  return out;
}

TEST(Fair, OneClientIsServedAsWithoutAName) {
  Loop nameless(kFour), named(kFour);
  for (int i = 0; i < 60; ++i) {
    const Loop::Asked asked{
        .priority = i % 3, .prompt = 5 + i % 17, .answer = 4 + i % 5};
    nameless.add(asked);
    Loop::Asked mine = asked;
    mine.client = "a";
    mine.weight = 3;
    named.add(mine);
    nameless.step();
    named.step();
  }
  nameless.steps(200);
  named.steps(200);
  EXPECT_TRUE(named.is_idle());
  EXPECT_EQ(counts_of_steps(named), counts_of_steps(nameless));
}

TEST(Fair, EqualClientsHaveEqualTokensHoweverManyTheyAskFor) {
  Loop loop(kFour);
  for (int i = 0; i < 200; ++i) {
    loop.add({.client = "flood", .prompt = 45, .answer = 23});
  }
  run_busy(loop, {{.client = "a"}, {.client = "flood"}}, 2000, 2);
  EXPECT_NEAR(ratio(loop, {}, "flood", "a"), 1, 0.1);
}

TEST(Fair, TokensFollowTheWeights) {
  Loop loop(kFour);
  run_busy(loop, {{.client = "a"}, {.client = "b", .weight = 3}}, 3000);
  EXPECT_NEAR(ratio(loop, {}, "b", "a"), 3, 0.3);
}

TEST(Fair, TokensFollowTheWeightsInStepsByTime) {
  Loop loop({.max_sequences = 4, .max_wait_ms = 0, .step_ms = 30});
  run_busy(loop, {{.client = "a"}, {.client = "b", .weight = 3}}, 3000);
  EXPECT_NEAR(ratio(loop, {}, "b", "a"), 3, 0.3);
}

TEST(Fair, WhoComesWhileAnotherFloodsIsNext) {
  Loop loop(kFour);
  for (int i = 0; i < 40; ++i) loop.add({.client = "flood"});
  for (int round = 0; round < 8; ++round) {
    loop.steps(7);
    const std::size_t before = loop.started.size();
    const int mine = loop.add({.client = "b", .answer = 2});
    while (loop.started.size() == before) loop.step();
    EXPECT_EQ(loop.started[before], mine) << round;
  }
}

TEST(Fair, NobodySavesUpCredit) {
  Loop loop(kFour);
  run_busy(loop, {{.client = "a"}, {.client = "b"}}, 200);
  run_busy(loop, {{.client = "a"}}, 2000);  // what b had left ends at once
  const auto before = loop.tokens;
  run_busy(loop, {{.client = "a"}, {.client = "b"}}, 1000);
  EXPECT_NEAR(ratio(loop, before, "b", "a"), 1, 0.15);
}

TEST(Fair, EveryClientsRequestsComeToTheirEnd) {
  Loop loop(kFour);
  std::vector<int> rare;
  for (int i = 0; i < 30; ++i) {
    rare.push_back(loop.add({.client = "rare", .weight = 0.1, .answer = 4}));
    run_busy(loop, {{.client = "a"}, {.client = "b"}}, 100);
  }
  const auto ended = [&](int number) {
    return std::count(loop.ended.begin(), loop.ended.end(), number) == 1;
  };
  EXPECT_TRUE(std::all_of(rare.begin(), rare.end() - 5, ended));
}

TEST(Fair, AHigherPriorityComesFirstWhoeverAsks) {
  Loop loop({.max_sequences = 1, .max_wait_ms = 0});
  loop.add({.client = "a"});
  loop.step();
  const int low = loop.add({.client = "b"});
  const int high = loop.add({.client = "a", .priority = 1});
  const int other = loop.add({.client = "a"});
  while (!loop.is_idle()) loop.step();
  EXPECT_EQ(loop.started, (std::vector<int>{0, high, low, other}));
}

TEST(Fair, RoomForPromptsGoesToWhoHadLess) {
  Loop loop({.max_sequences = 8, .max_wait_ms = 0, .step_ms = 41});
  loop.add({.client = "a", .prompt = 20, .answer = 1000});  // who is held up
  loop.steps(30);
  for (int i = 0; i < 5; ++i) loop.add({.client = "a", .prompt = 400});
  loop.steps(4);
  const int mine = loop.add({.client = "b", .prompt = 60, .answer = 1});
  loop.steps(3);  // 32 to 40 tokens a step
  EXPECT_EQ(loop.ended, std::vector<int>{mine});
}

FairShares::Names names(const std::vector<std::string>& all) {
  return {all.begin(), all.end()};
}

TEST(FairShares, WhoLeavesInDebtComesBackInDebt) {
  FairShares shares;
  const std::vector<std::string> both{"a", "b"}, one{"b"};
  shares.see(names(both));
  shares.charge("a", 500);
  shares.charge("b", 100);
  shares.see(names(one));
  shares.see(names(both));
  EXPECT_EQ(shares.had("a"), 500);
  EXPECT_EQ(shares.had("b"), 100);
}

TEST(FairShares, SayingItTwiceChangesNothing) {
  FairShares shares;
  const std::vector<std::string> one{"a"}, both{"a", "b"};
  shares.see(names(one));
  shares.charge("a", 70);
  for (int i = 0; i < 3; ++i) {
    shares.see(names(both));
    EXPECT_EQ(shares.had("a"), 70);
    EXPECT_EQ(shares.had("b"), 70);
  }
}

TEST(FairShares, IdleClientsAreForgotten) {
  FairShares shares;
  const std::vector<std::string> one{"stays"};
  for (int i = 0; i < 3000; ++i) {
    const std::vector<std::string> now{"stays", std::to_string(i)};
    shares.see(names(now));
    shares.charge(now[1], 10 + i % 7);
    EXPECT_LE(shares.size(), 1024U + 2);
  }
  shares.see(names(one));
  EXPECT_EQ(shares.size(), 1024U + 1);  // they all had more than it
  shares.charge("stays", 1e9);
  shares.see(names(one));
  EXPECT_EQ(shares.size(), 1U);
}

}  // namespace
}  // namespace penstock::core

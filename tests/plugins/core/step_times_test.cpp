// What StepTimes learns from made-up steps whose times are known.
#include "core/step_times.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace penstock::core {
namespace {

/// A machine on which a step takes 6 ms, 1 ms for each token that is decoded
/// and 0.4 ms for each of a prompt.
struct Machine {
  double slower = 1;
  [[nodiscard]] double seconds(const StepLoad& load) const {
    return slower * (6e-3 + 1e-3 * static_cast<double>(load.decoding) +
                     0.4e-3 * static_cast<double>(load.prompt));
  }
};

/// Steps as a planner would make them: decoding, then prompts by time.
double fill(StepTimes& times, const Machine& machine, double seconds,
            int steps) {
  double last = 0;
  for (int i = 0; i < steps; ++i) {
    const StepLoad load{.decoding = 4,
                        .prompt = std::max<std::int64_t>(
                            32, times.prompt_tokens(4, seconds).value_or(32))};
    last = machine.seconds(load);
    times.learn(load, last);
  }
  return last;
}

TEST(StepTimes, KnowsNothingBeforeItHasSeenAPrompt) {
  StepTimes times;
  EXPECT_FALSE(times.prompt_tokens(4, 0.06));
  times.learn({.decoding = 4}, 0.01);
  EXPECT_FALSE(times.prompt_tokens(4, 0.06));
  EXPECT_FALSE(times.expected({.decoding = 4, .prompt = 1}));
}

TEST(StepTimes, FillsAStepToItsTime) {
  const Machine machine;
  StepTimes times;
  for (const std::int64_t decoding : {1, 2, 4, 8, 4, 2, 1, 4, 8}) {
    times.learn({.decoding = decoding},
                machine.seconds({.decoding = decoding}));
  }
  times.learn({.prompt = 512}, machine.seconds({.prompt = 512}));
  EXPECT_NEAR(fill(times, machine, 0.060, 20), 0.060, 0.003);
  EXPECT_NEAR(fill(times, machine, 0.030, 20), 0.030, 0.003);
  const StepLoad load{.decoding = 6, .prompt = 60};
  EXPECT_NEAR(*times.expected(load), machine.seconds(load), 0.003);
}

TEST(StepTimes, FindsItsWayWhereNoStepOnlyDecodes) {
  const Machine machine;
  StepTimes times;
  EXPECT_NEAR(fill(times, machine, 0.060, 40), 0.060, 0.003);
}

TEST(StepTimes, FollowsAMachineThatOthersUse) {
  Machine machine;
  StepTimes times;
  times.learn({.decoding = 4}, machine.seconds({.decoding = 4}));
  fill(times, machine, 0.060, 20);
  machine.slower = 2.5;
  EXPECT_NEAR(fill(times, machine, 0.060, 60), 0.060, 0.006);
  machine.slower = 1;
  EXPECT_NEAR(fill(times, machine, 0.060, 60), 0.060, 0.006);
}

TEST(StepTimes, OneOddStepMovesItLittle) {
  const Machine machine;
  StepTimes times;
  times.learn({.decoding = 4}, machine.seconds({.decoding = 4}));
  fill(times, machine, 0.060, 20);
  const auto before = *times.prompt_tokens(4, 0.060);
  times.learn({.decoding = 4, .prompt = before}, 30);
  times.learn({.decoding = 4}, 30);
  EXPECT_GT(*times.prompt_tokens(4, 0.060), before * 7 / 10);
}

TEST(StepTimes, HasNoRoomWhereDecodingTakesItAll) {
  const Machine machine;
  StepTimes times;
  for (int i = 0; i < 10; ++i) {
    times.learn({.decoding = 100}, machine.seconds({.decoding = 100}));
  }
  times.learn({.decoding = 100, .prompt = 100},
              machine.seconds({.decoding = 100, .prompt = 100}));
  EXPECT_EQ(times.prompt_tokens(100, 0.060), 0);
}

TEST(StepTimes, SaysNothingAbsurdOfOddClocks) {
  StepTimes times;
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const StepLoad load{.decoding = static_cast<std::int64_t>(random() % 9),
                        .prompt = static_cast<std::int64_t>(random() % 3)};
    const double seconds = static_cast<double>(random() % 3) * 1e-9;
    times.learn(load, seconds);
    const auto tokens = times.prompt_tokens(load.decoding, 0.060);
    if (tokens) {
      EXPECT_GE(*tokens, 0);
    }
    const auto expected = times.expected(load);
    if (expected) {
      EXPECT_TRUE(std::isfinite(*expected) && *expected >= 0) << *expected;
    }
  }
}

}  // namespace
}  // namespace penstock::core

// Who gets libtorch's team of threads: a step that one thread does in next to
// no time does not.
#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "penstock/parallel.h"
#include "tests/framework/runtime/uses.h"

namespace penstock::uses {
namespace {

/// As many steps, one sequence each; the team of each step.
std::vector<int> teams_of(int steps, const std::function<void()>& work) {
  set_threads(2);
  std::vector<int> teams;
  Stages stages;
  stages.max_sequences = 1;
  stages.forward = [&](const Step&) {
    teams.push_back(at::get_num_threads());
    work();
    return Result();
  };
  stages.start = [](Sequence& sequence) { sequence.want.from = kNone; };
  stages.decode = [&](const Step&, const Result&, std::vector<Next>& out) {
    Next& next = out.emplace_back();
    next.tokens = {1};
    next.finish =
        static_cast<int>(teams.size()) < steps ? Finish::kNo : Finish::kLength;
  };
  // Each step shows one token more: sizes below a power of two are one size.
  stages.caps = {.slots = 1, .rollback = kAll, .can_chunk = true};
  (void)run(stages, {"1"});
  set_threads(0);
  return teams;
}

/// A bag of words: 20,000 numbers by four classes.
TEST(Team, IsNotWokenForASmallStep) {
  const auto counts = at::full({1, 20000}, 1.0F);
  const auto weights = at::full({20000, 4}, 0.5F);
  const auto bias = at::full({4}, 0.1F);
  const auto teams =
      teams_of(40, [&] { (void)at::addmm(bias, counts, weights); });
  ASSERT_EQ(teams.size(), 40U);
  EXPECT_EQ(teams.front(), 2) << "the first is looked at with a team";
  EXPECT_EQ(teams.back(), 1);
}

TEST(Team, StaysWithALargeStep) {
  const auto teams = teams_of(12, [] {
    // The thread's own time counts, and sleep is none.
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(40);
    while (std::chrono::steady_clock::now() < end) {
    }
  });
  ASSERT_EQ(teams.size(), 12U);
  EXPECT_EQ(teams.back(), 2);
}

}  // namespace
}  // namespace penstock::uses

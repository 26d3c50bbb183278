// What pad and continuous plan and collate.
#include <gtest/gtest.h>

#include "core/continuous.h"
#include "core/pad.h"
#include "core/plan_sequences.h"
#include "core/wait.h"
#include "tests/plugins/core/rows.h"

namespace penstock::core {
namespace {

using std::chrono::milliseconds;

std::vector<std::int64_t> values(const at::Tensor& tensor) {
  const auto* data = tensor.const_data_ptr<std::int64_t>();
  return {data, data + tensor.numel()};
}

TEST(Closing, HasAReasonForEachCase) {
  const Time start = Clock::now();
  Rows three({1, 1, 1}, start);
  Rows none({});
  EXPECT_EQ(close_batch(candidates(none, none), 3, 5).why, Closed::kNothing);
  EXPECT_EQ(close_batch(candidates(three, none, 8, true, start), 3, 5).why,
            Closed::kFull);
  EXPECT_EQ(close_batch(candidates(three, none, 8, false, start), 4, 5).why,
            Closed::kDrained);
  const auto waits = close_batch(candidates(three, none, 8, true, start), 4, 5);
  EXPECT_EQ(waits.why, Closed::kNothing);
  EXPECT_EQ(waits.check_again_at, start + milliseconds(5));
  EXPECT_EQ(close_batch(
                candidates(three, none, 8, true, start + milliseconds(5)), 4, 5)
                .why,
            Closed::kWaited);
}

TEST(Continuous, DecodingRowsGoFirstAndPromptsTakeTheRest) {
  Continuous batch({.max_sequences = 8,
                    .max_wait_ms = 0,
                    .chunk = 6,
                    .max_step_tokens = 10});
  Rows running({20, 5, 7});
  running.sequences[1].cached = 4;  // one token to go: it decodes
  running.sequences[2].cached = 6;
  Rows waiting({9, 3});
  const Plan plan = batch.plan(candidates(waiting, running));
  ASSERT_EQ(plan.slices.size(), 4);
  EXPECT_EQ(plan.slices[0].sequence, running.pointers[1]);
  EXPECT_EQ(plan.slices[0].count, 1);
  EXPECT_EQ(plan.slices[1].sequence, running.pointers[2]);
  EXPECT_EQ(plan.slices[2].sequence, running.pointers[0]);
  EXPECT_EQ(plan.slices[2].count, 6);  // a chunk
  EXPECT_EQ(plan.slices[3].sequence, waiting.pointers[0]);
  EXPECT_EQ(plan.slices[3].count, 2);  // what is left of 10
  EXPECT_EQ(plan.why, Closed::kFull);
}

TEST(Continuous, TakesNoMoreRowsThanAreFree) {
  Continuous batch({.max_sequences = 8, .max_wait_ms = 0});
  Rows none({});
  Rows waiting({1, 1, 1});
  waiting.items[1].width = 2;
  const Plan plan = batch.plan(candidates(waiting, none, 2));
  EXPECT_EQ(plan.slices.size(), 1);
}

TEST(Continuous, PacksSlicesEndToEnd) {
  Continuous batch({});
  Rows sequences({4, 3});
  const std::vector<Slice> slices{
      {.sequence = sequences.pointers[0], .count = 2, .begin = 1},
      {.sequence = sequences.pointers[1], .count = 3}};
  EXPECT_EQ(values(batch.collate(slices)[0].second),
            (Tokens{11, 12, 10, 11, 12}));
}

TEST(Pad, StartsNobodyWhileABatchRuns) {
  Pad batch({.max_sequences = 4});
  Rows running({3});
  Rows waiting({1});
  const Plan plan = batch.plan(candidates(waiting, running));
  ASSERT_EQ(plan.slices.size(), 1);
  EXPECT_EQ(plan.slices[0].sequence, running.pointers[0]);
}

TEST(PlanRows, SaysThatABatchIsFullWhereSomebodyMustWait) {
  for (const bool joins : {false, true}) {
    Rows none({});
    Rows waiting({1, 1, 1});
    const PlanRules rules{.max_sequences = 4, .max_wait_ms = 0, .joins = joins};
    const Plan cut = plan_sequences(candidates(waiting, none, 2), rules);
    EXPECT_EQ(cut.slices.size(), 2);
    EXPECT_EQ(cut.why, Closed::kFull);
    const Plan whole = plan_sequences(candidates(waiting, none, 3), rules);
    EXPECT_EQ(whole.slices.size(), 3);
    EXPECT_EQ(whole.why, Closed::kDrained);
  }
}

TEST(PlanRows, JoinsRunningRowsWhereTheRulesSaySo) {
  Rows running({3, 3});
  Rows waiting({1});
  const auto planned = [&](bool joins) {
    return plan_sequences(
        candidates(waiting, running, 6),
        {.max_sequences = 8, .max_wait_ms = 0, .joins = joins});
  };
  EXPECT_EQ(planned(false).slices.size(), 2);
  EXPECT_EQ(planned(true).slices.size(), 3);
  EXPECT_EQ(planned(true).why, Closed::kRunning);
}

TEST(PlanRows, LeavesOutRunningRowsAndStopsAtWaitingOnesWithoutRoom) {
  Rows running({3, 3});
  Rows waiting({1, 1});
  const auto share = [&](const Sequence& sequence) -> std::int64_t {
    return &sequence == running.pointers[0] || &sequence == waiting.pointers[0]
               ? 0
               : 5;
  };
  const Plan plan =
      plan_sequences(candidates(waiting, running), {.max_sequences = 8}, share);
  ASSERT_EQ(plan.slices.size(), 1);
  EXPECT_EQ(plan.slices[0].sequence, running.pointers[1]);
  EXPECT_EQ(plan.slices[0].count, 5);
  EXPECT_EQ(plan.why, Closed::kFull);
}

struct Sided {
  std::string side;
  Tokens ids, mask;
};

TEST(Pad, MakesARectangleWithItsMask) {
  for (const Sided& c :
       {Sided{"left", {7, 7, 10, 10, 11, 12}, {0, 0, 1, 1, 1, 1}},
        Sided{"right", {10, 7, 7, 10, 11, 12}, {1, 0, 0, 1, 1, 1}}}) {
    Pad batch({.max_sequences = 2, .side = c.side, .pad_id = 7});
    Rows sequences({1, 3});
    const std::vector<Slice> slices{
        {.sequence = sequences.pointers[0], .count = 1},
        {.sequence = sequences.pointers[1], .count = 3}};
    const Tensors inputs = batch.collate(slices);
    EXPECT_EQ(get(inputs, "input_ids").sizes(), at::IntArrayRef({2, 3}));
    EXPECT_EQ(values(get(inputs, "input_ids")), c.ids) << c.side;
    EXPECT_EQ(values(get(inputs, "attention_mask")), c.mask) << c.side;
  }
}

TEST(Pad, CutsLongPromptsAndSaysSo) {
  for (const auto& [end, wanted] : std::vector<std::pair<std::string, Tokens>>{
           {"right", {1, 2, 3}}, {"left", {3, 4, 5}}}) {
    Pad batch({.max_length = 3, .truncate = end});
    Item item;
    item.tokens = {1, 2, 3, 4, 5};
    batch.admit(item);
    EXPECT_EQ(item.tokens, wanted);
    EXPECT_EQ(std::get<std::int64_t>(item.notes.at("truncated")), 2);
    item.tokens = {1, 2, 3, 4};
    batch.admit(item);  // that a stage before it cut some is not forgotten
    EXPECT_EQ(std::get<std::int64_t>(item.notes.at("truncated")), 3);
    Item fits;
    fits.tokens = {1, 2, 3};
    batch.admit(fits);
    EXPECT_FALSE(fits.notes.contains("truncated"));
  }
}

}  // namespace
}  // namespace penstock::core

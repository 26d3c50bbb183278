// How core.continuous fills a step: by time, by priority, and once where
// prompts begin alike.
#include "core/continuous.h"

#include <gtest/gtest.h>

#include "core/step_room.h"
#include "tests/plugins/core/rows.h"

namespace penstock::core {
namespace {

std::vector<std::int64_t> counts(const Plan& plan) {
  std::vector<std::int64_t> out;
  for (const Slice& slice : plan.slices) out.push_back(slice.count);
  return out;
}

std::vector<const Sequence*> sequences(const Plan& plan) {
  std::vector<const Sequence*> out;
  for (const Slice& slice : plan.slices) out.push_back(slice.sequence);
  return out;
}

/// Tells the batch of a step that took 6 ms, and 0.5 ms a token of prompts.
void show(Continuous& batch, std::int64_t prompt, int decoding) {
  Rows rows(std::vector<std::int64_t>(static_cast<std::size_t>(decoding), 9));
  Rows prompts({prompt});
  Step step;
  for (Sequence* sequence : rows.pointers) {
    sequence->is_fresh = false;
    step.slices.push_back({.sequence = sequence, .count = 1, .begin = 8});
  }
  if (prompt > 0) {
    step.slices.push_back({.sequence = prompts.pointers[0], .count = prompt});
  }
  batch.observe(step, 6e-3 + 0.5e-3 * static_cast<double>(prompt));
}

/// Sequences that decode.
Rows decoding(std::size_t count) {
  Rows rows(std::vector<std::int64_t>(count, 9));
  for (Sequence& sequence : rows.sequences) {
    sequence.cached = 8;
    sequence.is_fresh = false;
  }
  return rows;
}

struct ByTime : ::testing::Test {
  ByTime() {
    for (int i = 0; i < 20; ++i) show(batch, 0, 2);
    for (int i = 0; i < 20; ++i) show(batch, 100, 2);
  }
  Continuous batch{{.max_sequences = 8, .max_wait_ms = 0, .step_ms = 56}};
  Rows none{{}};
};

TEST_F(ByTime, PromptsTakeTheTimeThatDecodingLeaves) {
  Rows running = decoding(2);
  Rows waiting({70, 300, 300});
  const Plan plan = batch.plan(candidates(waiting, running));
  ASSERT_EQ(plan.slices.size(), 4);
  EXPECT_EQ(plan.slices[2].count, 70);
  EXPECT_NEAR(static_cast<double>(plan.slices[3].count), 30,
              3);  // of 100 in 50 ms
  EXPECT_EQ(plan.why, Closed::kFull);
}

TEST_F(ByTime, OrSoManyTimesAsLongAsDecodingAlone) {
  Rows waiting({400});
  for (const auto& [step_ms, tokens] :
       std::vector<std::pair<double, double>>{{0, 60}, {26, 40}, {1000, 60}}) {
    Continuous by_ratio({.max_sequences = 8,
                         .max_wait_ms = 0,
                         .step_ms = step_ms,
                         .step_ratio = 6});
    for (int i = 0; i < 20; ++i) show(by_ratio, 0, 2);
    for (int i = 0; i < 20; ++i) show(by_ratio, 100, 2);
    Rows running = decoding(2);
    const Plan plan = by_ratio.plan(candidates(waiting, running));
    ASSERT_EQ(plan.slices.size(), 3);
    EXPECT_NEAR(static_cast<double>(plan.slices[2].count), tokens, 3);
  }
}

TEST_F(ByTime, NobodyIsHurriedWhereNothingDecodes) {
  Rows waiting({70, 600, 300});
  const Plan plan = batch.plan(candidates(waiting, none));
  EXPECT_EQ(counts(plan), (std::vector<std::int64_t>{70, 512, 300}));
}

TEST_F(ByTime, DecodingIsNeverCutAndPromptsAlwaysGoOn) {
  for (int i = 0; i < 200; ++i) {
    Rows rows({9});
    Step step;
    step.slices = {{.sequence = rows.pointers[0], .count = 1, .begin = 8}};
    batch.observe(step, 0.2);  // decoding alone takes longer than step_ms
  }
  Rows running = decoding(6);
  Rows waiting({300});
  const Plan plan = batch.plan(candidates(waiting, running));
  EXPECT_EQ(counts(plan), (std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 32}));
}

TEST_F(ByTime, AStepThatShowsInputsTeachesNothing) {
  Rows sounds({4});
  sounds.items[0].inputs = {{"sound", at::Tensor()}};
  Step step;
  step.slices = {{.sequence = sounds.pointers[0], .count = 4}};
  for (int i = 0; i < 50; ++i) batch.observe(step, 3);
  Rows running = decoding(2);
  Rows waiting({300});
  const Plan plan = batch.plan(candidates(waiting, running));
  EXPECT_NEAR(static_cast<double>(plan.slices[2].count), 100, 5);
}

TEST_F(ByTime, APromptWithInputsIsNotCut) {
  Rows running = decoding(2);
  Rows waiting({90, 40, 40});
  for (Item& item : waiting.items) item.inputs = {{"sound", at::Tensor()}};
  const Plan plan = batch.plan(candidates(waiting, running));
  EXPECT_EQ(counts(plan), (std::vector<std::int64_t>{1, 1, 90, 40}));
}

TEST(Continuous, WithoutStepMsTimesDoNotMatter) {
  Continuous batch({.max_sequences = 8, .max_wait_ms = 0});
  for (int i = 0; i < 20; ++i) show(batch, 100, 2);
  Rows running = decoding(2);
  Rows waiting({400, 400});
  EXPECT_EQ(counts(batch.plan(candidates(waiting, running))),
            (std::vector<std::int64_t>{1, 1, 400, 400}));
}

void set_priority(Rows& rows, std::size_t row, std::int64_t priority) {
  auto request = std::make_shared<Request>();
  Continuous::Params params;
  params.priority = priority;
  request->checked = {std::make_shared<Continuous::Params>(params)};
  rows.items[row].request = request;
}

TEST(Priority, HigherComesFirstThenWhoWasFirst) {
  Continuous batch({.max_sequences = 8, .max_wait_ms = 0, .chunk = 100});
  Rows running({50, 50});
  set_priority(running, 0, -1);
  Rows waiting({3, 4, 5, 6});
  set_priority(waiting, 1, 7);
  set_priority(waiting, 3, 7);
  const Plan plan = batch.plan(candidates(waiting, running, 3));
  EXPECT_EQ(sequences(plan),
            (std::vector<const Sequence*>{
                running.pointers[1], running.pointers[0], waiting.pointers[1],
                waiting.pointers[3], waiting.pointers[0]}));
}

TEST(Priority, WhoDecodesGoesOn) {
  Continuous batch({.max_sequences = 8, .max_wait_ms = 0});
  Rows running({50, 9});
  set_priority(running, 0, 5);
  running.sequences[1].cached = 8;
  Rows none({});
  const Plan plan = batch.plan(candidates(none, running));
  EXPECT_EQ(plan.slices[0].sequence, running.pointers[1]);
}

TEST(Priority, TheOldestSetsHowLongABatchWaits) {
  Continuous batch({.max_sequences = 8, .max_wait_ms = 5});
  const Time start = Clock::now();
  Rows none({});
  Rows waiting({3, 3}, start);
  waiting.sequences[1].since += std::chrono::milliseconds(4);
  set_priority(waiting, 1, 9);
  const Plan plan = batch.plan(candidates(waiting, none, 8, true, start));
  EXPECT_EQ(plan.check_again_at, start + std::chrono::milliseconds(5));
}

/// A batch that shares prefixes, and what it is offered; prompts of Rows are
/// alike as far as they go.
struct Alike : ::testing::Test {
  Plan plan(Rows& waiting, Rows& running, int free = 8) {
    Offer offer = candidates(waiting, running, free);
    offer.caps = caps;
    offer.found = [&](const Sequence& /*sequence*/) { return found; };
    return batch.plan(offer);
  }
  Caps caps{.slots = 8, .rollback = 8, .can_copy = true, .can_chunk = true};
  std::int64_t found = 0;
  Continuous batch{{.max_sequences = 8,
                    .max_wait_ms = 0,
                    .chunk = 100,
                    .prefix_cache = true}};
  Rows none{{}};
};

TEST_F(Alike, OneComputesAndTheOthersWait) {
  Rows waiting({60, 60, 60});
  EXPECT_EQ(sequences(plan(waiting, none)),
            (std::vector<const Sequence*>{waiting.pointers[0]}));
}

TEST_F(Alike, OthersDoNotWaitWithThemNorTakeTheirPlaces) {
  Rows waiting({60, 60, 30, 30});
  for (std::size_t i : {2, 3}) waiting.sequences[i].tokens.assign(30, 5);
  waiting.sequences[3].tokens[2] = 6;
  EXPECT_EQ(
      sequences(plan(waiting, none)),
      (std::vector<const Sequence*>{waiting.pointers[0], waiting.pointers[2],
                                    waiting.pointers[3]}));
  EXPECT_EQ(
      sequences(plan(waiting, none, 3)),
      (std::vector<const Sequence*>{waiting.pointers[0], waiting.pointers[2]}));
}

TEST_F(Alike, WhoFindsItComputedStarts) {
  found = 59;
  Rows waiting({60, 60, 60});
  EXPECT_EQ(plan(waiting, none).slices.size(), 3);
  EXPECT_EQ(counts(plan(waiting, none)), (std::vector<std::int64_t>{1, 1, 1}));
}

TEST_F(Alike, AFewTokensAreNotWaitedFor) {
  Rows waiting({15, 16, 60});
  waiting.sequences[2].tokens[15] = 1;
  EXPECT_EQ(plan(waiting, none).slices.size(), 3);
}

TEST_F(Alike, NobodyWaitsForWhatCannotBeCopied) {
  Rows waiting({60, 60});
  caps.can_copy = false;
  EXPECT_EQ(plan(waiting, none).slices.size(), 2);
  caps.can_copy = true;
  Rows running({90});
  running.sequences[0].slot = 0;
  running.sequences[0].cached = 70;  // too far to be dropped: found is 0
  EXPECT_EQ(plan(waiting, running).slices.size(),
            2);  // one waits for the other
  EXPECT_EQ(plan(waiting, running).slices[1].sequence, waiting.pointers[0]);
  Rows pictures({60, 60});
  for (Item& item : pictures.items) item.inputs = {{"image", at::Tensor()}};
  EXPECT_EQ(plan(pictures, none).slices.size(), 2);
}

TEST_F(Alike, TheSliceEndsWhereTheOthersCanGoOn) {
  Rows waiting({60, 30});
  waiting.sequences[1].tokens.back() = 1;  // 29 in common
  EXPECT_EQ(counts(plan(waiting, none)), (std::vector<std::int64_t>{29 + 8}));
  caps.rollback = kAll;
  EXPECT_EQ(counts(plan(waiting, none)), (std::vector<std::int64_t>{60}));
}

TEST_F(Alike, NobodyWaitsForALowerPriority) {
  Rows running({60});
  set_priority(running, 0, -1);
  Rows waiting({60});
  EXPECT_EQ(plan(waiting, running).slices.size(), 2);
}

TEST_F(Alike, OnlyWhereTheFileSaysSo) {
  Continuous alone({.max_sequences = 8, .max_wait_ms = 0});
  Rows waiting({60, 60});
  Offer offer = candidates(waiting, none);
  offer.caps = caps;
  EXPECT_EQ(alone.plan(offer).slices.size(), 2);
}

}  // namespace
}  // namespace penstock::core

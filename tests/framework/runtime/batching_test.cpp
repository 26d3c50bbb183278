// Continuous and static batches, chunks, drafts, forks: whatever the way, the
// tokens are those of the textbook.
#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

const std::vector<Tokens> kPrompts{
    {3, 1, 4},
    {1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3},
    {2},
    {6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5, 0, 2, 8, 8, 4, 1, 9, 7, 1},
    {6, 9, 3, 9, 9, 3, 7},
    {5, 1},
    {0, 5, 8, 2, 0, 9, 7, 4, 9, 4, 4, 5, 9, 2}};

struct Case {
  std::string name;
  Setup setup;
  bool is_stateful = true, can_copy = true;
  std::int64_t rollback = 8, drafts = 0;
  int items = 1;
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

class Batching : public testing::TestWithParam<Case> {};

TEST_P(Batching, GivesTheTextbooksTokens) {
  const Case& c = GetParam();
  Script script;
  script.is_stateful = c.is_stateful;
  script.can_copy = c.can_copy;
  script.rollback = c.rollback;
  script.drafts = c.drafts;
  script.items = c.items;
  Pipeline pipeline(file(script, c.setup));
  std::vector<std::shared_ptr<Collect>> sinks;
  for (const Tokens& prompt : kPrompts) {
    sinks.push_back(std::make_shared<Collect>());
    pipeline.submit(request(str(sinks.size()), text_of(prompt)), sinks.back());
  }
  pipeline.drain();
  for (std::size_t i = 0; i < kPrompts.size(); ++i) {
    ASSERT_FALSE(sinks[i]->wait().error) << sinks[i]->wait().error->what();
    for (int branch = 0; branch < c.items; ++branch) {
      EXPECT_EQ(sinks[i]->text(branch),
                text_of(answer(kPrompts[i], script.max_new, branch)))
          << "prompt " << i << ", branch " << branch;
    }
    EXPECT_EQ(sinks[i]->wait().finish_reason, "length");
    EXPECT_EQ(sinks[i]->wait().prompt_tokens, kPrompts[i].size());
  }
  if (c.drafts > 0) {
    EXPECT_GT(script.accepted, 0);
  }
  if (c.drafts > 0 && c.rollback == 0) {
    EXPECT_GT(pipeline.stats().replays, 0);
  }
  if (c.items > 1 && c.is_stateful) {
    EXPECT_EQ(pipeline.stats().copies > 0, c.can_copy);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Batching,
    testing::ValuesIn<Case>({
        {.name = "OneRow", .setup = {.max_sequences = 1}},
        {.name = "FourRows", .setup = {.max_sequences = 4}},
        {.name = "MoreRowsThanRequests", .setup = {.max_sequences = 16}},
        {.name = "ChunksOf1", .setup = {.max_sequences = 3, .chunk = 1}},
        {.name = "ChunksOf3", .setup = {.max_sequences = 3, .chunk = 3}},
        {.name = "ChunksOf9", .setup = {.max_sequences = 3, .chunk = 9}},
        {.name = "StepsOf10Tokens",
         .setup = {.max_sequences = 3, .chunk = 9, .max_step_tokens = 10}},
        {.name = "StepsOf1Microsecond",
         .setup = {.max_sequences = 6, .step_ms = 0.001}},
        {.name = "StepsOf1MicrosecondNoCache",
         .setup = {.max_sequences = 6, .step_ms = 0.001},
         .is_stateful = false},
        {.name = "StepsByTimeAndPrefixes",
         .setup = {.max_sequences = 6, .prefix_cache = true, .step_ms = 1}},
        {.name = "NoCache",
         .setup = {.max_sequences = 3},
         .is_stateful = false},
        {.name = "Padded",
         .setup = {.sequences = Rows::kPadded, .max_sequences = 3}},
        {.name = "PaddedNoCache",
         .setup = {.sequences = Rows::kPadded, .max_sequences = 3},
         .is_stateful = false},
        {.name = "DraftsOf3", .setup = {.max_sequences = 3}, .drafts = 3},
        {.name = "DraftsWithoutRollback",
         .setup = {.max_sequences = 3},
         .rollback = 0,
         .drafts = 3},
        {.name = "DraftsNoCache",
         .setup = {.max_sequences = 3},
         .is_stateful = false,
         .drafts = 2},
        {.name = "ThreeSamplesCopied",
         .setup = {.max_sequences = 6},
         .items = 3},
        {.name = "ThreeSamplesReplayed",
         .setup = {.max_sequences = 6},
         .can_copy = false,
         .items = 3},
        {.name = "ThreeSamplesNoCache",
         .setup = {.max_sequences = 6},
         .is_stateful = false,
         .items = 3},
    }),
    [](const auto& test) { return test.param.name; });

struct Ran {
  Stats stats;
  std::string trace;
};

/// Runs prompts of one token; the second batch comes when the first runs.
Ran run(const Setup& setup, int first, int second) {
  Script script;
  script.forward_time = std::chrono::milliseconds(2);
  // The first runs until the second is there, however busy the machine.
  std::atomic<int> seen{0};
  script.in_preprocess = [&](const Request&) { ++seen; };
  script.in_decode = [&](const Sequence&) {
    while (script.calls >= 3 && seen < first + second) {
      std::this_thread::yield();
    }
  };
  PipelineOptions options;
  options.trace = true;
  Pipeline pipeline(file(script, setup), options);
  std::vector<std::shared_ptr<Collect>> sinks;
  const auto add = [&](int count) {
    for (int i = 0; i < count; ++i) {
      sinks.push_back(std::make_shared<Collect>());
      pipeline.submit(request(str("r", sinks.size()), "7"), sinks.back());
    }
  };
  {
    const auto more = pipeline.more_coming();
    add(first);
    if (first < setup.max_sequences) {
      // Nobody starts before max_wait while more are announced.
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      EXPECT_TRUE(setup.max_wait_ms < 100 || script.calls == 0);
    }
  }
  while (second > 0 && script.calls < 3) std::this_thread::yield();
  add(second);
  pipeline.drain();
  return {pipeline.stats(), pipeline.trace_json()};
}

std::int64_t closed(const Stats& stats, Closed why) {
  return stats.closed_for.at(static_cast<std::size_t>(why));
}

TEST(Closing, AFullBatchStartsAtOnce) {
  const Ran ran = run({.max_sequences = 4, .max_wait_ms = 1e4}, 4, 0);
  EXPECT_EQ(
      closed(ran.stats, Closed::kFull) + closed(ran.stats, Closed::kDrained),
      1);
  EXPECT_EQ(ran.stats.most_sequences, 4);
}

TEST(Closing, WhatIsLeftStartsWhenNobodyElseComes) {
  const Ran ran = run({.max_sequences = 8, .max_wait_ms = 1e4}, 2, 0);
  EXPECT_EQ(closed(ran.stats, Closed::kDrained), 1);
}

TEST(Closing, TheFirstRowWaitsNoLongerThanMaxWait) {
  Script script;
  std::atomic<bool> may_go{false};
  script.in_preprocess = [&](const Request& r) {
    while (r.id == "late" && !may_go) std::this_thread::yield();
  };
  Pipeline pipeline(file(script, {.max_sequences = 8, .max_wait_ms = 30}));
  const auto early = std::make_shared<Collect>();
  const auto late = std::make_shared<Collect>();
  const Time start = Clock::now();
  pipeline.submit(request("late", "1"), late);
  pipeline.submit(request("early", "1"), early);
  early->wait();
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(30));
  EXPECT_FALSE(late->is_done());
  may_go = true;
  pipeline.drain();
  EXPECT_EQ(closed(pipeline.stats(), Closed::kWaited), 1);
}

TEST(Continuous, RowsJoinWhileOthersRun) {
  const Ran ran = run({.max_sequences = 4}, 2, 2);
  EXPECT_EQ(ran.stats.most_sequences, 4);
  const auto trace = nlohmann::json::parse(ran.trace);
  bool has_joined = false;
  for (const auto& event : trace["traceEvents"]) {
    if (event["name"] != "forward") continue;
    bool has_new = false;
    bool has_old = false;
    for (const auto& sequence : event["args"]["sequences"]) {
      (sequence["begin"] == 0 ? has_new : has_old) = true;
    }
    has_joined |= has_new && has_old;
  }
  EXPECT_TRUE(has_joined);
}

TEST(Continuous, ARequestOfHigherPriorityStartsFirst) {
  Script script;
  std::mutex mutex;
  std::vector<std::string> order;
  script.in_writer = [&](const Request& r) {
    const std::scoped_lock lock(mutex);
    if (order.empty() || order.back() != r.id) order.push_back(r.id);
  };
  // The first runs until long after the others are there.
  script.forward_time = std::chrono::milliseconds(1);
  std::atomic<int> seen{0};
  script.in_preprocess = [&](const Request&) { ++seen; };
  script.in_decode = [&](const Sequence&) {
    while (seen < 5) std::this_thread::yield();
  };
  Pipeline pipeline(file(script, {.max_sequences = 1}));
  Request first = request("first", "3 1 4");
  first.options["max_new"] = RawScalar{"150"};
  pipeline.submit(first, std::make_shared<Collect>());
  while (script.calls == 0) std::this_thread::yield();
  for (const char* id : {"-1", "0", "2", "1"}) {
    Request made = request(id, "3 1 4");
    made.options["priority"] = RawScalar{id};
    pipeline.submit(made, std::make_shared<Collect>());
  }
  pipeline.drain();
  EXPECT_EQ(order, (std::vector<std::string>{"first", "2", "1", "0", "-1"}));
}

TEST(Padded, RowsDoNotJoinARunningBatch) {
  const Ran ran =
      run({.sequences = Rows::kPadded, .max_sequences = 4, .max_wait_ms = 1e4},
          2, 2);
  EXPECT_EQ(ran.stats.most_sequences, 2);
}

}  // namespace
}  // namespace penstock::fakes

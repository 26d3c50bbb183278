// A pipeline that ends early: what runs, what does not, and what is seen.
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/runner.h"
#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

/// What each stage made, in numbers.
class Seen final : public Observer {
 public:
  void item(const Request& /*request*/, const Item& /*item*/) override {
    ++items;
  }
  void step(const Step& step, const Result& result) override {
    for (const Slice& slice : step.slices) counts.push_back(slice.count);
    scored += result.scores.ids.defined() ? result.scores.ids.size(0) : 0;
  }
  void decoded(const Request& request, const Decoded& decoded) override {
    ids.push_back(request.id);
    tokens.insert(tokens.end(), decoded.tokens.begin(), decoded.tokens.end());
  }
  int items = 0;
  std::int64_t scored = 0;
  Tokens counts, tokens;
  std::vector<std::string> ids;
};

/// The ids that came as tensors.
Tokens ids_of(const Outcome& outcome) {
  Tokens tokens;
  const auto pieces = outcome.pieces.find(0);
  if (pieces == outcome.pieces.end()) return tokens;
  for (const Value& value : pieces->second) {
    const auto made = get(std::get<Tensors>(value), "tokens").contiguous();
    const auto* first = made.const_data_ptr<std::int64_t>();
    tokens.insert(tokens.end(), first, first + made.numel());
  }
  return tokens;
}

struct Ran {
  Seen seen;
  Outcome outcome;
};

void run(StageKind until, Script& script, Ran& ran,
         const std::string& text = "3 1 4 1 5") {
  PipelineOptions options;
  options.until = until;
  options.observer = &ran.seen;
  Runner runner(file(script, {.chunk = 2}), options);
  const auto all = std::make_shared<Collector>();
  runner.submit(request("a", text), all);
  ran.outcome = all->wait();
}

TEST(Until, BatchPlansThePromptAndComputesNothing) {
  Script script;
  Ran ran;
  run(StageKind::kBatch, script, ran);
  EXPECT_EQ(ran.seen.items, 1);
  EXPECT_THAT(ran.seen.counts, ::testing::ElementsAre(2, 2, 1));
  EXPECT_EQ(script.calls, 0);
  EXPECT_EQ(ran.outcome.report.finish_reason, "end");
  EXPECT_FALSE(ran.outcome.report.error);
}

TEST(Until, ForwardGivesTheScoresOfThePromptOnce) {
  Script script;
  Ran ran;
  run(StageKind::kForward, script, ran);
  EXPECT_THAT(ran.seen.counts, ::testing::ElementsAre(2, 2, 1));
  EXPECT_EQ(script.calls, 3);
  EXPECT_EQ(ran.seen.scored, 1);
  EXPECT_TRUE(ids_of(ran.outcome).empty());
  EXPECT_EQ(ran.outcome.report.finish_reason, "end");
}

TEST(Until, DecodeRunsTheLoopAndGivesIdsToTheSink) {
  Script script;
  bool has_written = false;
  script.in_writer = [&](const Request&) { has_written = true; };
  Ran ran;
  run(StageKind::kDecode, script, ran);
  const Tokens wanted = answer({3, 1, 4, 1, 5}, script.max_new);
  EXPECT_EQ(ids_of(ran.outcome), wanted);
  EXPECT_EQ(ran.seen.tokens, wanted);
  EXPECT_EQ(ran.seen.ids.front(), "a");
  EXPECT_EQ(ran.outcome.report.finish_reason, "length");
  EXPECT_FALSE(has_written);
}

TEST(Until, FailuresAreToldAsEver) {
  Script script;
  script.throw_at_call = 1;
  Ran ran;
  run(StageKind::kForward, script, ran);
  EXPECT_TRUE(ran.outcome.report.error);
}

TEST(Until, PreprocessIsNoPipeline) {
  Script script;
  Ran ran;
  EXPECT_THROW(run(StageKind::kPreprocess, script, ran), Error);
}

TEST(Until, RowsOfSeveralSamplesAllEnd) {
  Script script;
  Ran ran;
  run(StageKind::kBatch, script, ran, "1 2/3/4 5 6");
  EXPECT_EQ(ran.seen.items, 3);
  EXPECT_THAT(ran.seen.counts, ::testing::UnorderedElementsAre(2, 1, 2, 1));
}

}  // namespace
}  // namespace penstock::fakes

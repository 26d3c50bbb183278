// A pipeline that ends early: what runs, what does not, and what is seen.
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

/// Keeps the ids that came as tensors.
class Ids final : public ResultSink {
 public:
  void piece(const Request& /*request*/, const Value& value, int /*branch*/,
             bool /*is_final*/) override {
    const auto made = get(std::get<Tensors>(value), "tokens").contiguous();
    const auto* first = made.const_data_ptr<std::int64_t>();
    tokens.insert(tokens.end(), first, first + made.numel());
  }
  void done(const Request& /*request*/, const Report& its) override {
    report = its;
  }
  Tokens tokens;
  Report report;
};

struct Ran {
  Seen seen;
  Ids sink;
};

void run(StageKind until, Script& script, Ran& ran,
         const std::string& text = "3 1 4 1 5") {
  PipelineOptions options;
  options.until = until;
  options.observer = &ran.seen;
  const std::shared_ptr<Ids> sink(&ran.sink, [](Ids* /*kept*/) {});
  Pipeline pipeline(file(script, {.chunk = 2}), options);
  pipeline.submit(request("a", text), sink);
  pipeline.drain();
}

TEST(Until, BatchPlansThePromptAndComputesNothing) {
  Script script;
  Ran ran;
  run(StageKind::kBatch, script, ran);
  EXPECT_EQ(ran.seen.items, 1);
  EXPECT_THAT(ran.seen.counts, ::testing::ElementsAre(2, 2, 1));
  EXPECT_EQ(script.calls, 0);
  EXPECT_EQ(ran.sink.report.finish_reason, "end");
  EXPECT_FALSE(ran.sink.report.error);
}

TEST(Until, ForwardGivesTheScoresOfThePromptOnce) {
  Script script;
  Ran ran;
  run(StageKind::kForward, script, ran);
  EXPECT_THAT(ran.seen.counts, ::testing::ElementsAre(2, 2, 1));
  EXPECT_EQ(script.calls, 3);
  EXPECT_EQ(ran.seen.scored, 1);
  EXPECT_TRUE(ran.sink.tokens.empty());
  EXPECT_EQ(ran.sink.report.finish_reason, "end");
}

TEST(Until, DecodeRunsTheLoopAndGivesIdsToTheSink) {
  Script script;
  bool has_written = false;
  script.in_writer = [&](const Request&) { has_written = true; };
  Ran ran;
  run(StageKind::kDecode, script, ran);
  const Tokens wanted = answer({3, 1, 4, 1, 5}, script.max_new);
  EXPECT_EQ(ran.sink.tokens, wanted);
  EXPECT_EQ(ran.seen.tokens, wanted);
  EXPECT_EQ(ran.seen.ids.front(), "a");
  EXPECT_EQ(ran.sink.report.finish_reason, "length");
  EXPECT_FALSE(has_written);
}

TEST(Until, FailuresAreToldAsEver) {
  Script script;
  script.throw_at_call = 1;
  Ran ran;
  run(StageKind::kForward, script, ran);
  EXPECT_TRUE(ran.sink.report.error);
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

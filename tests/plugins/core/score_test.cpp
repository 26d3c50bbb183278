// core.score and core.score_report: what is scored, in pieces or whole, and
// what is told of it.
#include "core/score.h"

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/score_report.h"
#include "penstock/forward.h"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A text of four tokens among five.
struct Text {
  explicit Text(std::int64_t from = 0) {
    item->tokens = {2, 3, 4, 0};
    if (from > 0) item->notes["scored_from"] = from;
    sequence.item = item.get();
    sequence.tokens = item->tokens;
  }
  /// Runs tokens [begin, begin + count). Every score is 0, but `best` is 1
  /// where a token follows itself plus one.
  Next run(std::int64_t begin, std::int64_t count, float best = 1) {
    const std::int64_t outs =
        begin + count - std::max(begin, sequence.want.from);
    Step step;
    step.slices = {{.sequence = &sequence,
                    .count = count,
                    .begin = begin,
                    .out = 0,
                    .outs = outs}};
    std::vector<float> scores(static_cast<std::size_t>(outs) * 5);
    for (std::int64_t i = 0; i < outs; ++i) {
      const std::int64_t token = sequence.token(begin + count - outs + i);
      scores[static_cast<std::size_t>(i * 5 + (token + 1) % 5)] = best;
    }
    const auto logits = at::tensor(scores).view({outs, 5});
    std::vector<Next> out;
    decode.decode(step, {.out = {}, .scores = fill_scores(logits, step)}, out);
    return out.at(0);
  }
  std::shared_ptr<Item> item = std::make_shared<Item>();
  Sequence sequence;
  Score decode{Score::Params{}};
};

std::vector<std::int64_t> ids(const Next& next, const std::string& name) {
  const auto tensor = get(next.emit.back().tensors, name);
  const auto* first = tensor.const_data_ptr<std::int64_t>();
  return {first, first + tensor.numel()};
}

TEST(Score, WantsNoMoreThanTheFollowingToken) {
  Text text(2);
  text.decode.start(text.sequence);
  EXPECT_EQ(text.sequence.want.from, 1);  // what is said of token 2
  EXPECT_EQ(text.sequence.want.top, 1);
  EXPECT_TRUE(text.sequence.want.norm && text.sequence.want.follow);
  EXPECT_FALSE(text.sequence.want.full);
}

TEST(Score, GivesEachTokenWhatWasExpectedInItsPlace) {
  Text text;
  text.decode.start(text.sequence);
  const Next next = text.run(0, 4);
  EXPECT_EQ(next.finish, Finish::kEnd);
  EXPECT_THAT(ids(next, "ids"), ElementsAre(3, 4, 0));
  EXPECT_THAT(ids(next, "best"), ElementsAre(3, 4, 0));
  const auto logprobs = get(next.emit.back().tensors, "logprobs");
  // One of five scores is 1, the others 0.
  EXPECT_NEAR(logprobs[0].item<float>(), 1 - std::log(std::exp(1) + 4), 1e-6);
}

TEST(Score, GoesThroughChunksAndEndsWithTheLast) {
  Text text(2);
  text.decode.start(text.sequence);
  const Next first = text.run(0, 3);
  EXPECT_EQ(first.finish, Finish::kNo);
  EXPECT_THAT(ids(first, "ids"), ElementsAre(4, 0));
  const Next last = text.run(3, 1);  // nothing follows the last token
  EXPECT_EQ(last.finish, Finish::kEnd);
  EXPECT_TRUE(last.emit.empty());
}

TEST(Score, RefusesWhatHasNothingToScore) {
  Text text(4);
  try {
    text.decode.start(text.sequence);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr("nothing to score"));
  }
}

TEST(Score, NotANumberFailsItsRow) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity()}) {
    Text text;
    text.decode.start(text.sequence);
    EXPECT_TRUE(text.run(0, 4, bad).error);
  }
}

/// Keeps what a Writer gives.
class KeptScore final : public OutputSink {
 public:
  void emit(Value value, int /*branch*/, bool /*is_final*/) override {
    if (const auto* json = std::get_if<Json>(&value)) {
      pieces.push_back(json->text);
    } else {
      text += std::get<std::string>(value);
    }
  }
  std::vector<std::string> pieces;
  std::string text;
};

TEST(ScoreReport, AddsUpAndSpells) {
  Text text(2);
  text.item->notes["pieces"] = std::string("a\0b\0c\0d\0", 8);
  text.decode.start(text.sequence);
  const auto writer = ScoreReport({}).begin(Request());
  KeptScore kept;
  const auto write = [&](Next next) {
    Decoded decoded = next.emit.empty() ? Decoded{} : std::move(next.emit[0]);
    decoded.item = text.item;
    decoded.finish = next.finish;
    EXPECT_TRUE(writer->write(decoded, kept));
  };
  write(text.run(0, 3));
  const auto tokens = nlohmann::json::parse(kept.pieces.at(0))["tokens"];
  EXPECT_EQ(tokens[1]["token"], "d");
  write(text.run(3, 1));
  const auto sums = nlohmann::json::parse(kept.pieces.at(1));
  const double each = 1 - std::log(std::exp(1) + 4);
  EXPECT_NEAR(sums["logprob"], 2 * each, 1e-6);
  EXPECT_NEAR(sums["perplexity"], std::exp(-each), 1e-5);
  EXPECT_EQ(sums["token_count"], 2);
  EXPECT_EQ(sums["is_greedy"], true);
  EXPECT_EQ(kept.text,
            "logprob -1.8097  tokens 2  perplexity 2.4715  greedy yes");
}

}  // namespace
}  // namespace penstock::core

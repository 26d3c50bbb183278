// core.pool and core.embedding: one vector of many states.
#include "core/pool.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/embedding.h"

namespace penstock::core {
namespace {

/// A text of three tokens whose states are given.
struct Text {
  explicit Text(const Pool::Params& chosen) {
    request->checked = {std::make_shared<Pool::Params>(chosen)};
    item.request = request;
    item.tokens = {2, 3, 4};
    sequence.item = &item;
    sequence.tokens = item.tokens;
    decode.start(sequence);
  }
  /// Tokens [begin, begin + states) with states of two numbers.
  std::vector<Next> run(std::int64_t begin, const std::vector<float>& states) {
    const auto count = static_cast<std::int64_t>(states.size()) / 2;
    Step step;
    step.slices = {{.sequence = &sequence,
                    .count = count,
                    .begin = begin,
                    .out = 0,
                    .outs = count}};
    Result result;
    result.scores.hidden = at::tensor(states).view({count, 2});
    std::vector<Next> out;
    decode.decode(step, result, out);
    return out;
  }
  std::shared_ptr<Request> request = std::make_shared<Request>();
  Item item;
  Sequence sequence;
  Pool decode{Pool::Params{}};
};

std::vector<float> numbers(const Next& next) {
  const auto tensor = get(next.emit.back().tensors, "embedding");
  const auto* first = tensor.const_data_ptr<float>();
  return {first, first + tensor.numel()};
}

TEST(Pool, WantsHiddenStatesAndNoScores) {
  const Text mean({.pool = "mean"});
  EXPECT_EQ(mean.sequence.want.from, 0);
  EXPECT_TRUE(mean.sequence.want.hidden);
  EXPECT_EQ(mean.sequence.want.top, 0);
  EXPECT_EQ(Text({.pool = "last"}).sequence.want.from, kLast);
}

TEST(Pool, AveragesOverChunks) {
  Text text({.pool = "mean", .normalize = false});
  const auto first = text.run(0, {1, 10, 2, 20});
  EXPECT_EQ(first.at(0).finish, Finish::kNo);
  EXPECT_TRUE(first.at(0).emit.empty());
  const auto last = text.run(2, {6, 0});
  EXPECT_EQ(last.at(0).finish, Finish::kEnd);
  EXPECT_EQ(numbers(last.at(0)), (std::vector<float>{3, 10}));
}

TEST(Pool, DividesByTheNorm) {
  Text text({.pool = "last", .normalize = true});
  const auto got = numbers(text.run(2, {3, 4}).at(0));
  EXPECT_FLOAT_EQ(got.at(0), 0.6F);
  EXPECT_FLOAT_EQ(got.at(1), 0.8F);
}

TEST(Pool, LeavesZeroAsItIs) {
  Text text({.pool = "last", .normalize = true});
  EXPECT_EQ(numbers(text.run(2, {0, 0}).at(0)), (std::vector<float>{0, 0}));
}

TEST(Pool, NotANumberFailsItsRow) {
  Text text({.pool = "last", .normalize = true});
  EXPECT_TRUE(
      text.run(2, {std::numeric_limits<float>::quiet_NaN(), 1}).at(0).error);
}

/// Keeps what a Writer gives.
class KeptPool final : public OutputSink {
 public:
  void emit(Value value, int /*branch*/, bool /*is_final*/) override {
    if (const auto* made = std::get_if<Json>(&value)) {
      json = made->text;
    } else {
      text = std::get<std::string>(value);
    }
  }
  std::string json, text;
};

TEST(Embedding, IsWholeInJsonAndBriefForPeople) {
  const std::vector<float> vector{0.1F, -3, 0, 4, 0, 0, 1e-20F};
  Decoded decoded;
  decoded.tensors = {{"embedding", at::tensor(vector)}};
  KeptPool kept;
  (void)Embedding({}).begin(Request())->write(decoded, kept);
  const auto json = nlohmann::json::parse(kept.json);
  EXPECT_EQ(json["embedding"].get<std::vector<float>>(), vector);
  EXPECT_EQ(kept.text,
            "7 numbers, length 5.0010: 0.1000 -3.0000 0.0000 4.0000 0.0000 "
            "0.0000 ...");
}

}  // namespace
}  // namespace penstock::core

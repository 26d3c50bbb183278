// core.sample: what it wants, what it picks, when a sequence ends.
#include "core/sample.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <limits>

#include "penstock/forward.h"

namespace penstock::core {
namespace {

/// A sequence that has been asked for one more token.
struct Setting {
  explicit Setting(const SampleDecode::Params& chosen) : decode(chosen) {
    request->checked = {std::make_shared<SampleDecode::Params>(chosen)};
    item.request = request;
    item.tokens = {2, 3};
    sequence.item = &item;
    sequence.tokens = item.tokens;
    facts["eos_ids"] = Tokens{1};
    facts["context_length"] = std::int64_t{10};
    StageContext context{.device = at::kCPU,
                         .model = "",
                         .slots = 1,
                         .threads = 1,
                         .max_step_tokens = 0,
                         .facts = facts};
    decode.open(context);
    decode.start(sequence);
  }
  Next next(const std::vector<float>& scores) {
    Step step;
    const auto count = static_cast<std::int64_t>(sequence.tokens.size());
    step.slices = {{.sequence = &sequence,
                    .count = count,
                    .begin = 0,
                    .out = 0,
                    .outs = 1}};
    const auto logits = at::tensor(scores).unsqueeze(0);
    std::vector<Next> out;
    decode.decode(step, {.out = {}, .scores = fill_scores(logits, step)}, out);
    return out.at(0);
  }
  std::shared_ptr<Request> request = std::make_shared<Request>();
  Item item;
  Sequence sequence;
  Notes facts;
  SampleDecode decode;
};

TEST(Item, WantsNoMoreThanItNeeds) {
  EXPECT_EQ(Setting({.temperature = 0}).sequence.want.top, 1);
  EXPECT_EQ(Setting({.temperature = 1, .top_k = 40}).sequence.want.top, 41);
  EXPECT_TRUE(Setting({.temperature = 1}).sequence.want.full);
  // The best, each that an edit may push down, and one more to see ties.
  const Want banned = Setting({.banned_ids = {7, 5}}).sequence.want;
  EXPECT_EQ(banned.top, 4);
  EXPECT_EQ(banned.ids, (Tokens{5, 7}));
  EXPECT_FALSE(banned.full);
  EXPECT_EQ(Setting({.repetition_penalty = 2}).sequence.want.ids,
            (Tokens{2, 3}));
  EXPECT_TRUE(Setting({.temperature = 1, .top_k = 5000}).sequence.want.full);
}

TEST(Item, LooksAtAllScoresWhereTheLastOfTheBestHasEquals) {
  Setting setting({.temperature = 1, .top_k = 2, .seed = 1});
  // Two of four equals cannot say which they are.
  const std::vector<float> scores{0, 5, 5, 5, 5, 1};
  const Next again = setting.next(scores);
  EXPECT_TRUE(again.tokens.empty());
  ASSERT_TRUE(again.want);
  EXPECT_TRUE(again.want->full);
  setting.sequence.want = *again.want;
  const Next next = setting.next(scores);
  ASSERT_EQ(next.tokens.size(), 1);
  EXPECT_FALSE(next.want->full);
  EXPECT_EQ(next.want->top, 3);
}

TEST(Item, PenalisesWhatStandsInTheRow) {
  const std::vector<float> scores{0, 0, 4, 3, 2.5F};
  EXPECT_EQ(Setting({}).next(scores).tokens, Tokens{2});
  // Both were in the prompt: 2 and 1.5 are left of them.
  EXPECT_EQ(Setting({.repetition_penalty = 2}).next(scores).tokens, Tokens{4});
  // The prompt is no part of the answer.
  EXPECT_EQ(Setting({.presence_penalty = 3}).next(scores).tokens, Tokens{2});
  EXPECT_EQ(Setting({.banned_ids = {2}}).next(scores).tokens, Tokens{3});
}

TEST(Item, GreedyTakesTheLowestIdOfATie) {
  EXPECT_EQ(Setting({}).next({0, 0, 3, 3, 1}).tokens, Tokens{2});
}

TEST(Item, TheSameSeedPicksTheSameToken) {
  const std::vector<float> scores{1, 2, 3, 2, 1};
  for (const std::int64_t top_k : {0, 3}) {
    std::vector<int> counts(5);
    for (std::int64_t seed = 0; seed < 300; ++seed) {
      const SampleDecode::Params params{
          .temperature = 1, .top_k = top_k, .seed = seed};
      const auto token = Setting(params).next(scores).tokens.at(0);
      EXPECT_EQ(Setting(params).next(scores).tokens.at(0), token);
      ++counts[static_cast<std::size_t>(token)];
    }
    // e^3 to 2 e^2 to 2 e^1: 0.53, 0.39, 0.08 of all.
    EXPECT_GT(counts[2], 120);
    EXPECT_GT(counts[1], 20);
    EXPECT_EQ(counts[0] == 0, top_k == 3);
  }
}

struct End {
  std::string name;
  SampleDecode::Params params;
  std::vector<float> scores;
  std::int64_t generated;
  Finish wanted;
};
void PrintTo(const End& c, std::ostream* os) { *os << c.name; }

class Ends : public ::testing::TestWithParam<End> {};

TEST_P(Ends, WithItsReason) {
  const End& c = GetParam();
  Setting setting(c.params);
  for (std::int64_t i = 0; i < c.generated; ++i) {
    setting.sequence.tokens.push_back(3);
  }
  EXPECT_EQ(setting.next(c.scores).finish, c.wanted);
}

const std::vector<float> kEos{0, 9, 0, 0};
const std::vector<float> kOther{0, 0, 9, 0};

INSTANTIATE_TEST_SUITE_P(
    Table, Ends,
    ::testing::ValuesIn<End>({
        {"GoesOn", {.max_new_tokens = 5}, kOther, 0, Finish::kNo},
        {"AtEos", {.max_new_tokens = 5}, kEos, 0, Finish::kStopId},
        {"EosIgnored",
         {.max_new_tokens = 5, .ignore_eos = true},
         kEos,
         0,
         Finish::kNo},
        {"AtAStopId",
         {.max_new_tokens = 5, .stop_ids = {2}},
         kOther,
         0,
         Finish::kStopId},
        {"AtTheLimit", {.max_new_tokens = 5}, kOther, 4, Finish::kLength},
        {"AtTheContextsEnd",
         {.max_new_tokens = 50},
         kOther,
         7,
         Finish::kLength},
        {"StopWinsOverLength", {.max_new_tokens = 5}, kEos, 4, Finish::kStopId},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Item, ScoresThatAreNoNumbersFailTheRow) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const double temperature : {0., 1.}) {
    for (const float bad : {nan, inf, -nan}) {
      const Next next =
          Setting({.temperature = temperature}).next({0, bad, 1, 2});
      EXPECT_TRUE(next.error) << temperature << " " << bad;
    }
  }
}

}  // namespace
}  // namespace penstock::core

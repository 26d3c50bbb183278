// core.sample: what it wants, what it picks, when a sequence ends.
#include "core/sample.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <limits>

#include "penstock/draw.h"
#include "penstock/forward.h"
#include "penstock/random.h"

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

/// A Forward that runs ahead chooses by what is said before the step.
TEST(Item, SaysHowItWillChoose) {
  Setting setting({.temperature = 0.5,
                   .top_k = 3,
                   .top_p = 0.9,
                   .min_p = 0.1,
                   .repetition_penalty = 1.5,
                   .frequency_penalty = 0.25,
                   .presence_penalty = 0.5,
                   .logit_bias = {"5:2"},
                   .banned_ids = {7},
                   .seed = 11,
                   .max_new_tokens = 3});
  const Draw first = *setting.sequence.want.draw;
  EXPECT_EQ(first.temperature, 0.5);
  EXPECT_EQ(first.top_k, 3);
  EXPECT_EQ(first.top_p, 0.9);
  EXPECT_EQ(first.min_p, 0.1);
  EXPECT_EQ(first.random, uniform(11, 0, 0));
  EXPECT_TRUE(first.will_ask_drawn);
  EXPECT_FALSE(first.is_last);
  // One that nothing comes near, and no equals.
  const std::vector<float> scores{-5, -6, .1F, .2F, 20, 1, 8, 7, 6, 5, 4, 3};
  const Next next = setting.next(scores);
  ASSERT_EQ(next.tokens, Tokens{4});
  const Draw& second = *next.want->draw;
  EXPECT_EQ(second.random, uniform(11, 0, 1));
  ASSERT_EQ(second.edits.size(), next.want->ids.size());
  Tokens ids;
  for (const Draw::Edit& edit : second.edits) ids.push_back(edit.id);
  EXPECT_EQ(ids, (Tokens{2, 3, 4, 5, 7}));
  EXPECT_EQ(second.edits[0].repetition, 1.5F);
  EXPECT_EQ(second.edits[0].minus, 0);
  EXPECT_EQ(second.edits[2].minus, 0.75F);
  EXPECT_EQ(second.edits[3].bias, 2);
  EXPECT_EQ(second.edits[3].repetition, 1);
  EXPECT_EQ(second.edits[4].bias, -std::numeric_limits<float>::infinity());
  setting.sequence.want = *next.want;
  setting.sequence.tokens = {2, 3, 4};
  EXPECT_TRUE(setting.next(scores).want->draw->is_last);
}

TEST(Item, SaysNothingOfAChoiceThatHangsOnMore) {
  using Params = SampleDecode::Params;
  EXPECT_EQ(Setting({.temperature = 1}).sequence.want.draw, nullptr)
      << "every score is looked at";
  const Params typical{.temperature = 1, .top_k = 3, .typical_p = 0.5};
  EXPECT_EQ(Setting(typical).sequence.want.draw, nullptr);
  EXPECT_EQ(Setting({.speculate = "ngram"}).sequence.want.draw, nullptr);
  EXPECT_EQ(Setting({.n = 2}).sequence.want.draw, nullptr) << "it parts";
  EXPECT_EQ(Setting({.prompt_logprobs = 1}).sequence.want.draw, nullptr);
  EXPECT_FALSE(Setting({}).sequence.want.draw->will_ask_drawn);
  EXPECT_TRUE(Setting({.max_new_tokens = 1}).sequence.want.draw->is_last);
}

}  // namespace
}  // namespace penstock::core

// core.sample under rules: what it asks for, picks, takes without a step,
// guesses, and when it ends.
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "core/sample.h"
#include "penstock/error.h"
#include "penstock/forward.h"
#include "penstock/rule.h"

namespace penstock::core {
namespace {

using Answer = std::span<const std::int64_t>;

/// A rule that two functions make.
struct Fake final : PreparedRule {
  std::function<Ruling(const Tokens&)> look;
  std::function<Tokens(const Tokens&)> foresee;

  struct Own final : RuledAnswer {
    explicit Own(const Fake& from) : fake(from) {}
    Ruling look(Answer answer) override {
      return fake.look(Tokens(answer.begin(), answer.end()));
    }
    Tokens foresee(Answer answer, std::int64_t most) override {
      if (!fake.foresee) return {};
      Tokens out = fake.foresee(Tokens(answer.begin(), answer.end()));
      out.resize(std::min(out.size(), static_cast<std::size_t>(most)));
      return out;
    }
    const Fake& fake;
  };
  [[nodiscard]] std::unique_ptr<RuledAnswer> begin() const override {
    return std::make_unique<Own>(*this);
  }
};

Ruling only(const Tokens& ids) {
  return {.allowed = std::make_shared<const TokenSet>(ids)};
}

/// Of tokens 0 to 9; the prompt is 2 3. Steps are run by hand.
struct Ruled {
  using Look = std::function<Ruling(const Tokens&)>;
  explicit Ruled(const SampleDecode::Params& chosen, Look look,
                 std::function<Tokens(const Tokens&)> foresee = {})
      : decode(chosen) {
    auto rule = std::make_shared<Fake>();
    rule->look = std::move(look);
    rule->foresee = std::move(foresee);
    item.rules = {nullptr, rule};
    request->checked = {std::make_shared<SampleDecode::Params>(chosen)};
    item.request = request;
    item.tokens = {2, 3};
    sequence.item = &item;
    sequence.tokens = item.tokens;
    facts["eos_ids"] = Tokens{1};
    facts["context_length"] = std::int64_t{40};
    facts["vocab_size"] = std::int64_t{10};
    StageContext context{.device = at::kCPU,
                         .model = "",
                         .slots = 1,
                         .threads = 1,
                         .max_step_tokens = 0,
                         .facts = facts};
    decode.open(context);
    decode.start(sequence);
  }
  /// Of the last token and the draft; the same scores for each.
  std::vector<Next> step(const std::vector<float>& scores) {
    ++steps;
    Step step;
    const auto count = sequence.length();
    const auto outs = static_cast<std::int64_t>(sequence.draft.size()) + 1;
    step.slices = {{.sequence = &sequence,
                    .count = count,
                    .begin = 0,
                    .out = 0,
                    .outs = outs}};
    const auto logits = at::tensor(scores).unsqueeze(0).repeat({outs, 1});
    std::vector<Next> out;
    decode.decode(step, {.out = {}, .scores = fill_scores(logits, step)}, out);
    return out;
  }
  Next next(const std::vector<float>& scores) { return step(scores).at(0); }
  /// Until it ends; gives the answer.
  Tokens run(const std::vector<float>& scores) {
    for (;;) {
      Next next = this->next(scores);
      if (next.error) std::rethrow_exception(next.error);
      auto& tokens = sequence.tokens;
      tokens.insert(tokens.end(), next.tokens.begin(), next.tokens.end());
      finish = next.finish;
      if (finish != Finish::kNo) return {tokens.begin() + 2, tokens.end()};
      sequence.draft = next.draft;
      sequence.want = *next.want;
    }
  }
  std::shared_ptr<Request> request = std::make_shared<Request>();
  Item item;
  Sequence sequence;
  Notes facts;
  SampleDecode decode;
  Finish finish = Finish::kNo;
  int steps = 0;
};

const std::vector<float> kScores{0, 1, 2, 9, 8, 7, 6, 5, 4, 3};

TEST(Ruled, WantsTheAllowedAlone) {
  const auto few = [](const Tokens&) { return only({5, 6, 7}); };
  const Want greedy = Ruled({}, few).sequence.want;
  EXPECT_EQ(greedy.top, 1);
  ASSERT_EQ(greedy.allowed.size(), 1);
  EXPECT_EQ(greedy.allowed[0]->ids(), (Tokens{5, 6, 7}));
  // Every score would be needed without a rule; here they are three.
  const Want sampled = Ruled({.temperature = 1}, few).sequence.want;
  EXPECT_EQ(sampled.top, 3);
  EXPECT_FALSE(sampled.full);
  const Want edited = Ruled({.banned_ids = {4, 5, 9}}, few).sequence.want;
  EXPECT_EQ(edited.top, 3);
  EXPECT_TRUE(edited.ids.empty());
  EXPECT_FALSE(edited.full);
}

TEST(Ruled, PicksTheBestOfTheAllowed) {
  const auto few = [](const Tokens&) { return only({5, 6, 7}); };
  EXPECT_EQ(Ruled({}, few).next(kScores).tokens, Tokens{5});
  EXPECT_EQ(Ruled({.banned_ids = {5}}, few).next(kScores).tokens, Tokens{6});
  EXPECT_EQ(Ruled({.logit_bias = {"7:4"}}, few).next(kScores).tokens,
            Tokens{7});
  for (std::int64_t seed = 0; seed < 50; ++seed) {
    for (const std::int64_t top_k : {0, 2}) {
      const auto token =
          Ruled({.temperature = 5, .top_k = top_k, .seed = seed}, few)
              .next(kScores)
              .tokens.at(0);
      EXPECT_GE(token, 5);
      EXPECT_LE(token, top_k == 2 ? 6 : 7);
    }
  }
}

TEST(Ruled, AddsTheRulesBiases) {
  const auto biased = [](const Tokens& answer) {
    Ruling out;
    out.biases = {{8, answer.empty() ? 6.0F : 0.0F}, {3, 0.0F}};
    return out;
  };
  Ruled setting({.max_new_tokens = 2}, biased);
  EXPECT_EQ(setting.sequence.want.ids, (Tokens{3, 8}));
  EXPECT_EQ(setting.run(kScores), (Tokens{8, 3}));
}

TEST(Ruled, TakesWhatIsLeftAloneWithoutAStep) {
  // 5, then 6 7 whatever the model says, then anything of two.
  const auto stretch = [](const Tokens& answer) {
    if (answer.size() == 1) return only({6});
    if (answer.size() == 2) return only({7});
    return answer.empty() ? only({5, 4}) : only({8, 9});
  };
  Ruled setting({.logprobs = 1, .max_new_tokens = 4}, stretch);
  const Next next = setting.next(kScores);
  EXPECT_EQ(next.tokens, (Tokens{4, 6, 7}));
  ASSERT_EQ(next.emit.size(), 3);
  // The only one has the probability 1.
  const auto& values = get(next.emit[1].tensors, "logprobs.values");
  EXPECT_EQ(values[0][0].item<float>(), 0);
  const auto& first = get(next.emit[0].tensors, "logprobs.values");
  EXPECT_NEAR(first[0][0].item<float>(), -std::log(1 + std::exp(-1.0)), 1e-5);
  ASSERT_EQ(next.want->allowed.size(), 1);
  EXPECT_EQ(next.want->allowed[0]->ids(), (Tokens{8, 9}));
  EXPECT_EQ(setting.run(kScores), (Tokens{4, 6, 7, 8}));
  EXPECT_EQ(setting.finish, Finish::kLength);
}

TEST(Ruled, EndsWhereNothingMayFollow) {
  const auto two = [](const Tokens& answer) {
    return answer.size() < 2 ? only({5, 6}) : only({});
  };
  Ruled setting({}, two);
  EXPECT_EQ(setting.run(kScores), (Tokens{5, 5}));
  EXPECT_EQ(setting.finish, Finish::kStop);
  EXPECT_EQ(setting.steps, 2);
}

TEST(Ruled, StopsAtTheLengthInsideAForcedStretch) {
  const auto forced = [](const Tokens& answer) {
    return answer.empty() ? only({4, 5}) : only({6});
  };
  Ruled setting({.max_new_tokens = 3}, forced);
  EXPECT_EQ(setting.run(kScores), (Tokens{4, 6, 6}));
  EXPECT_EQ(setting.finish, Finish::kLength);
  EXPECT_EQ(setting.steps, 1);
}

/// Even places 4 or 5, odd ones 6 or 7; after eight nothing.
Ruling woven(const Tokens& answer) {
  if (answer.size() == 8) return only({});
  return answer.size() % 2 == 0 ? only({4, 5}) : only({6, 7});
}

TEST(Ruled, ForeseenTokensSaveStepsAndChangeNothing) {
  for (const double temperature : {0.0, 3.0}) {
    for (std::int64_t seed = 0; seed < 20; ++seed) {
      const SampleDecode::Params params{.temperature = temperature,
                                        .seed = seed};
      Ruled plain(params, woven);
      const Tokens wanted = plain.run(kScores);
      EXPECT_EQ(plain.steps, 8);
      // Foresees right, wrong, and what is not allowed at all.
      for (const std::int64_t odd : {6, 7, 9}) {
        Ruled quick(params, woven, [&](const Tokens& answer) {
          Tokens out;
          for (std::size_t i = answer.size(); i < 12; ++i) {
            out.push_back(i % 2 == 0 ? 4 : odd);
          }
          return out;
        });
        EXPECT_EQ(quick.run(kScores), wanted) << odd << ", seed " << seed;
        EXPECT_EQ(quick.finish, Finish::kStop);
        EXPECT_LE(quick.steps, 8);
        if (temperature == 0 && odd == 6) {
          EXPECT_EQ(quick.steps, 2);
        }
      }
    }
  }
}

TEST(Ruled, GuessesOfTheLookupAreHeldAgainstTheRule) {
  const SampleDecode::Params params{.max_new_tokens = 20, .speculate = "ngram"};
  const auto round = [](const Tokens& answer) {
    return answer.size() % 3 == 2 ? only({6, 8}) : only({4, 5});
  };
  Ruled plain({.max_new_tokens = 20}, round);
  Ruled quick(params, round);
  EXPECT_EQ(quick.run(kScores), plain.run(kScores));
  EXPECT_LT(quick.steps, plain.steps);
}

TEST(Ruled, EveryAnswerHasItsOwnPlaceInTheRule) {
  const SampleDecode::Params params{.temperature = 3, .n = 4, .seed = 3};
  const auto forks = [](const Tokens& answer) {
    if (answer.empty()) return only({4, 5});
    return answer.size() == 1 ? only({answer[0] + 2}) : only({});
  };
  Ruled setting(params, forks);
  const auto nexts = setting.step(kScores);
  ASSERT_EQ(nexts.size(), 4);
  for (const Next& next : nexts) {
    ASSERT_EQ(next.tokens.size(), 2);
    EXPECT_EQ(next.tokens[1], next.tokens[0] + 2);
    EXPECT_EQ(next.finish, Finish::kStop);
  }
}

TEST(Ruled, SaysSoWhereNothingIsLeft) {
  EXPECT_THROW(Ruled({}, [](const Tokens&) { return only({}); }), Error);
  Ruled setting({.banned_ids = {5, 6}}, [](const Tokens&) {
    return only({5, 6});
  });
  const Next next = setting.next(kScores);
  ASSERT_TRUE(next.error);
  try {
    std::rethrow_exception(next.error);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("no token is left"));
  }
}

TEST(Ruled, SeveralRulesAllowWhatAllOfThemAllow) {
  auto odd = std::make_shared<Fake>();
  odd->look = [](const Tokens&) { return only({3, 5, 7}); };
  auto high = std::make_shared<Fake>();
  high->look = [](const Tokens&) { return only({5, 6, 7, 8}); };
  Ruled setting({}, [](const Tokens&) { return Ruling{}; });
  setting.item.rules = {odd, nullptr, high};
  setting.decode.start(setting.sequence);
  EXPECT_EQ(setting.sequence.want.allowed.at(0)->ids(), (Tokens{5, 7}));
  EXPECT_EQ(setting.next(kScores).tokens, Tokens{5});
}

TEST(Ruled, ManyAnswersAreInTheOrderOfTheirSlices) {
  // Enough of them for several threads; the third's rule fails.
  std::vector<std::unique_ptr<Ruled>> all;
  for (std::int64_t i = 0; i < 9; ++i) {
    all.push_back(std::make_unique<Ruled>(
        SampleDecode::Params{}, [i](const Tokens& answer) {
          if (i == 2 && !answer.empty()) throw Error(Code::kData, "no more");
          return answer.empty() ? only({i, 9}) : only({3, 4});
        }));
  }
  Step step;
  for (const auto& each : all) {
    const auto at = std::ssize(step.slices);
    step.slices.push_back(
        {.sequence = &each->sequence, .count = 2, .out = at, .outs = 1});
  }
  const auto logits = at::tensor({9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, at::kFloat);
  const Scores scores =
      fill_scores(logits.unsqueeze(0).repeat({std::ssize(all), 1}), step);
  for (int round = 0; round < 20; ++round) {
    std::vector<Next> out;
    all[0]->decode.decode(step, {.out = {}, .scores = scores}, out);
    ASSERT_EQ(out.size(), all.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(out[i].slice, i);
      EXPECT_EQ(out[i].error != nullptr, i == 2);
      EXPECT_EQ(out[i].tokens,
                i == 2 ? Tokens{} : Tokens{static_cast<std::int64_t>(i)});
    }
  }
}

}  // namespace
}  // namespace penstock::core

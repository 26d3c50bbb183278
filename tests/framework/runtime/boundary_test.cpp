// Every boundary between two stages: what one did wrong is told as that one's,
// whoever would have stumbled over it.
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <limits>

#include "penstock/runner.h"
#include "tests/framework/runtime/uses.h"

namespace penstock::uses {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kWords = 8;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// What the file declares; the stages of a classifier of 3 numbers.
struct Ports {
  std::vector<std::string> preprocess{"counts: f32[3]", "extra: u8[N]"};
  std::vector<std::string> forward_in{"counts: f32[B,3]"};
  std::vector<std::string> forward_out{"logits: f32[B,2]"};
  std::vector<std::string> decode{"classes: i64[N]", "values: f32[N]"};
  Layout layout = Layout::kStacked;
};

/// A pipeline of two sequences in one step that does everything right.
struct Setting {
  Stages stages;
  Ports ports;
  Notes facts;

  /// Tensors alone.
  static Setting classifier() {
    Setting made;
    made.stages.preprocess = {[](const Request&, Item in, ItemSink& out) {
      in.inputs = {{"counts", at::full({3}, 1.0F)}};
      out.push(std::move(in));
    }};
    made.stages.collate = [](std::span<const Slice> slices) {
      return Tensors{
          {"counts",
           at::full({static_cast<std::int64_t>(slices.size()), 3}, 1.0F)}};
    };
    made.stages.forward = [](const Step& step) {
      const auto sequences = static_cast<std::int64_t>(step.slices.size());
      return Result{.out = {{"logits", at::full({sequences, 2}, 0.5F)}},
                    .scores = {}};
    };
    made.stages.decode = [](const Step& step, const Result&,
                            std::vector<Next>& out) {
      for (std::size_t i = 0; i < step.slices.size(); ++i) {
        Next& next = out.emplace_back();
        next.slice = i;
        next.finish = Finish::kEnd;
        next.emit.emplace_back().tensors = {
            {"classes", at::full({1}, 1, at::kLong)},
            {"values", at::full({1}, 0.5F)}};
      }
    };
    return made;
  }

  /// Tokens and scores; ends after one token.
  static Setting writer() {
    Setting made;
    made.ports = {.preprocess = {"tokens: i64[T]"},
                  .forward_in = {"tokens: i64[T]"},
                  .forward_out = {"scores: f32[R,V]"},
                  .decode = {"tokens: i64[N]"},
                  .layout = Layout::kPacked};
    made.facts["vocab_size"] = kWords;
    made.stages.start = [](Sequence& sequence) { sequence.want.top = 1; };
    made.stages.forward = [](const Step& step) {
      Result result;
      result.scores.ids = at::full({step.outs(), 1}, 3, at::kLong);
      result.scores.values = at::full({step.outs(), 1}, 1.0F);
      return result;
    };
    made.stages.decode = [](const Step& step, const Result&,
                            std::vector<Next>& out) {
      for (std::size_t i = 0; i < step.slices.size(); ++i) {
        Next& next = out.emplace_back();
        next.slice = i;
        next.tokens = {3};
        next.finish = Finish::kLength;
        next.emit.emplace_back().tokens = {3};
      }
    };
    return made;
  }
};

using Nexts = std::vector<Next>;

/// The plain decode, then `change`.
void change_next(Setting& setting, const std::function<void(Next&)>& change) {
  setting.stages.decode = [plain = setting.stages.decode, change](
                              const Step& step, const Result& result,
                              Nexts& out) {
    plain(step, result, out);
    for (Next& next : out) change(next);
  };
}
void change_result(Setting& setting,
                   const std::function<void(Result&)>& change) {
  setting.stages.forward = [plain = setting.stages.forward,
                            change](const Step& step) {
    Result result = plain(step);
    change(result);
    return result;
  };
}
void change_sample(Setting& setting, const std::function<void(Item&)>& change) {
  setting.stages.preprocess = {
      [change](const Request&, Item in, ItemSink& out) {
        in.inputs = {{"counts", at::full({3}, 1.0F)}};
        in.tokens = {1, 2};
        change(in);
        out.push(std::move(in));
      }};
}

struct Mistake {
  std::string name;
  Setting (*setting)();
  std::function<void(Setting&)> make;
  std::string words;
  std::string stage;  ///< "": nothing is wrong
};
void PrintTo(const Mistake& c, std::ostream* os) { *os << c.name; }

/// The file with its ports; specs are kept for the process.
PipelineFile declared(Setting& setting) {
  PipelineFile made = file(setting.stages);
  static std::deque<StageSpec> specs;
  const auto replace = [&](StageConfig& config,
                           const std::vector<std::string>& inputs,
                           const std::vector<std::string>& outputs) {
    StageSpec& spec = specs.emplace_back(*config.spec);
    for (const auto& text : inputs) spec.inputs.push_back(parse_port(text));
    for (const auto& text : outputs) spec.outputs.push_back(parse_port(text));
    spec.layouts = {setting.ports.layout};
    config.spec = &spec;
  };
  replace(made.preprocess[0], {}, setting.ports.preprocess);
  replace(made.batch, {}, {});
  replace(made.forward, setting.ports.forward_in, setting.ports.forward_out);
  replace(made.decode, {}, setting.ports.decode);
  return made;
}

class Mistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreToldAsOfTheStageThatMadeThem) {
  const Mistake& c = GetParam();
  Setting setting = c.setting();
  setting.stages.write = [](const Decoded&, OutputSink&) { return true; };
  c.make(setting);
  setting.stages.facts = setting.facts;
  Runner runner(declared(setting));
  const auto sink = std::make_shared<Collector>();
  runner.submit(fakes::request("a", "1 2"), sink);
  const Outcome& got = sink->wait();
  if (c.stage.empty()) {
    EXPECT_FALSE(got.report.error) << got.report.error->what();
    return;
  }
  ASSERT_TRUE(got.report.error);
  EXPECT_THAT(got.report.error->text(), HasSubstr(c.words));
  const std::string all = got.report.error->what();
  const auto place = all.find("  in stage '");
  ASSERT_NE(place, all.npos) << all;
  EXPECT_EQ(all.substr(place).rfind("  in stage '" + c.stage + "'", 0), 0)
      << all;
}

/// A Next with a Want of its own, which goes on.
std::function<void(Setting&)> wanting(const Want& want) {
  return [want](Setting& setting) {
    change_next(setting, [want](Next& next) {
      next.finish = Finish::kNo;
      next.want = want;
    });
  };
}

std::function<void(Setting&)> allowing(const Tokens& ids) {
  Want want;
  want.top = 1;
  want.allowed = {std::make_shared<const TokenSet>(ids)};
  return wanting(want);
}

std::vector<Mistake> mistakes() {
  const auto tensors = Setting::classifier;
  const auto tokens = Setting::writer;
  return {
      {"Nothing", tensors, [](Setting&) {}, "", ""},
      {"NothingOfTokens", tokens, [](Setting&) {}, "", ""},
      {"MoreThanDeclared", tensors,
       [](Setting& s) {
         change_result(
             s, [](Result& r) { r.out.emplace_back("more", at::zeros({7})); });
       },
       "", ""},

      {"SampleOfAnotherName", tensors,
       [](Setting& s) {
         change_sample(s, [](Item& in) { in.inputs[0].first = "count"; });
       },
       "'counts' is missing, but counts: f32[B,3] is what any takes; there is "
       "'count'",
       "preprocess"},
      {"SampleOfAnotherShape", tensors,
       [](Setting& s) {
         change_sample(s,
                       [](Item& in) { in.inputs[0].second = at::zeros({4}); });
       },
       "'counts' is f32[4], but counts: f32[3] is declared", "preprocess"},
      {"SampleOfAnotherRank", tensors,
       [](Setting& s) {
         change_sample(s, [](Item& in) {
           in.inputs[0].second = at::zeros({1, 3});
         });
       },
       "'counts' is f32[1,3]", "preprocess"},
      {"SampleOfAnotherDtype", tensors,
       [](Setting& s) {
         change_sample(s, [](Item& in) {
           in.inputs[0].second = at::zeros({3}, at::kDouble);
         });
       },
       "'counts' is f64[3]", "preprocess"},
      {"SampleWithoutATensor", tensors,
       [](Setting& s) {
         change_sample(s, [](Item& in) {
           in.inputs.emplace_back("spare", at::Tensor());
         });
       },
       "'spare' is no tensor", "preprocess"},
      {"SampleOnAnotherDevice", tensors,
       [](Setting& s) {
         change_sample(s, [](Item& in) {
           in.inputs[0].second = at::zeros({3}, at::kMeta);
         });
       },
       "'counts' is on meta, expected on cpu", "preprocess"},
      {"SampleWithoutWidth", tensors,
       [](Setting& s) { change_sample(s, [](Item& in) { in.width = 0; }); },
       "Item::width is 0", "preprocess"},
      {"TokenBeyondTheVocabulary", tokens,
       [](Setting& s) {
         change_sample(s, [](Item& in) { in.tokens = {kWords}; });
       },
       "token id 8 is not in the model's vocabulary of 8", "preprocess"},
      {"NegativeToken", tokens,
       [](Setting& s) { change_sample(s, [](Item& in) { in.tokens = {-1}; }); },
       "token id -1", "preprocess"},
      {"NoTokens", tokens,
       [](Setting& s) {
         change_sample(s, [](Item& in) { in.tokens.clear(); });
       },
       "the item has no tokens", "preprocess"},

      {"BatchOfAnotherShape", tensors,
       [](Setting& s) {
         s.stages.collate = [](std::span<const Slice>) {
           return Tensors{{"counts", at::zeros({2, 3})}};
         };
       },
       "'counts' is f32[2,3], but counts: f32[B,3] is declared, and the step "
       "has 1 sequences",
       "batch"},
      {"BatchWithoutTheInput", tensors,
       [](Setting& s) {
         s.stages.collate = [](std::span<const Slice>) { return Tensors{}; };
       },
       "'counts' is missing", "batch"},
      {"BatchThatLeavesInputsInTheItems", tensors,
       [](Setting& s) {
         s.ports.forward_in = {"counts: f32[3]"};
         s.stages.collate = [](std::span<const Slice>) { return Tensors{}; };
       },
       "", ""},
      {"BatchOfFewerTokens", tokens,
       [](Setting& s) {
         s.stages.collate = [](std::span<const Slice>) {
           return Tensors{{"tokens", at::zeros({1}, at::kLong)}};
         };
       },
       "'tokens' is i64[1], but tokens: i64[2]", "batch"},

      {"ForwardOfMoreRows", tensors,
       [](Setting& s) {
         change_result(s, [](Result& r) {
           r.out[0].second = at::zeros({2, 2});
         });
       },
       "'logits' is f32[2,2], but logits: f32[B,2] is declared, and the step "
       "has 1 sequences",
       "forward"},
      {"ForwardOfAnotherRank", tensors,
       [](Setting& s) {
         change_result(s, [](Result& r) {
           r.out[0].second = at::zeros({1, 3, 2});
         });
       },
       "'logits' is f32[1,3,2]", "forward"},
      {"ForwardOfAnotherDtype", tensors,
       [](Setting& s) {
         change_result(s, [](Result& r) {
           r.out[0].second = at::zeros({1, 2}, at::kLong);
         });
       },
       "'logits' is i64[1,2]", "forward"},
      {"ForwardOfAnotherName", tensors,
       [](Setting& s) {
         change_result(s, [](Result& r) { r.out[0].first = "logit"; });
       },
       "'logits' is missing, but logits: f32[B,2] is declared; there is "
       "'logit'",
       "forward"},
      {"ForwardOfNothing", tensors,
       [](Setting& s) { change_result(s, [](Result& r) { r = {}; }); },
       "there is nothing", "forward"},
      {"ForwardUndefined", tensors,
       [](Setting& s) {
         change_result(s, [](Result& r) { r.out[0].second = at::Tensor(); });
       },
       "'logits' is no tensor", "forward"},
      {"ScoresOfAnotherDtype", tokens,
       [](Setting& s) {
         change_result(
             s, [](Result& r) { r.scores.ids = r.scores.ids.to(at::kFloat); });
       },
       "scores.ids is f32[1,1], expected i64", "forward"},
      {"ScoresOfMoreRows", tokens,
       [](Setting& s) {
         change_result(s, [](Result& r) {
           r.scores.values = at::zeros({2, 1});
         });
       },
       "scores.values is f32[2,1], but the step wants 1 rows of 1", "forward"},
      {"ScoresOfNoDims", tokens,
       [](Setting& s) {
         change_result(s, [](Result& r) { r.scores.values = at::zeros({}); });
       },
       "scores.values is f32[]", "forward"},
      {"ScoresNotFinite", tokens,
       [](Setting& s) {
         change_result(s, [](Result& r) { r.scores.values.fill_(kNan); });
       },
       "scores.values are not finite (nan)", "forward"},
      {"WhatDecodeCannotUse", tokens,
       [](Setting& s) {
         s.stages.decode = [](const Step&, const Result&, Nexts&) {
           throw ForwardFault("the numbers are no numbers");
         };
       },
       "the numbers are no numbers", "forward"},

      {"WantBeyondTheVocabulary", tokens, wanting({.top = 1, .ids = {1 << 30}}),
       "Want::ids has 1073741824, which is not in the model's vocabulary of 8",
       "decode"},
      {"WantBeforeTheVocabulary", tokens, wanting({.top = 1, .ids = {-1}}),
       "Want::ids has -1", "decode"},
      {"WantOfFewerThanNone", tokens, wanting({.top = -1, .ids = {}}),
       "Want::top is -1", "decode"},
      {"WantOfMoreThanThereAre", tokens,
       wanting({.top = kWords + 1, .ids = {}}),
       "Want::top is 9, expected 0 to 8", "decode"},
      {"WantFromNowhere", tokens, wanting({.from = -3, .top = 1, .ids = {}}),
       "Want::from is -3", "decode"},
      {"WantOfNoTokenAtAll", tokens, allowing({}),
       "Want::allowed has a set without tokens; finish the sequence", "decode"},
      {"WantAllowsBeyondTheVocabulary", tokens, allowing({2, kWords}),
       "Want::allowed has 8, which is not in the model's vocabulary of 8",
       "decode"},
      {"ScoresOfWhatIsNotAllowed", tokens,
       [](Setting& s) {
         s.stages.start = [](Sequence& sequence) {
           sequence.want.top = 1;
           sequence.want.allowed = {
               std::make_shared<const TokenSet>(Tokens{2, 5})};
         };
       },
       "scores.ids has 3 as the best of 2 tokens that Want::allowed names",
       "forward"},
      {"WantAtTheStart", tokens,
       [](Setting& s) {
         s.stages.start = [](Sequence& sequence) {
           sequence.want.ids = {kWords};
         };
       },
       "Want::ids has 8", "decode"},
      {"TokensEditedAtTheStart", tokens,
       [](Setting& s) {
         s.stages.start = [](Sequence& sequence) {
           sequence.tokens.push_back(1);
         };
       },
       "Decode::start() changed the sequence's tokens", "decode"},
      {"DraftBeyondTheVocabulary", tokens,
       [](Setting& s) {
         change_next(s, [](Next& next) {
           next.finish = Finish::kNo;
           next.draft = {99};
         });
       },
       "token id 99", "decode"},
      {"NextBeyondTheVocabulary", tokens,
       [](Setting& s) {
         change_next(s, [](Next& next) { next.tokens = {99}; });
       },
       "token id 99", "decode"},
      {"NextKeepsFewerThanNone", tokens,
       [](Setting& s) { change_next(s, [](Next& next) { next.keep = -1; }); },
       "Next::keep is -1", "decode"},
      {"NextOfABranchBelowNone", tokens,
       [](Setting& s) { change_next(s, [](Next& next) { next.branch = -2; }); },
       "Next::branch is -2", "decode"},
      {"DecodedOfAnotherName", tensors,
       [](Setting& s) {
         change_next(
             s, [](Next& next) { next.emit[0].tensors[0].first = "class"; });
       },
       "'classes' is missing", "decode"},
      {"DecodedOfAnotherDtype", tensors,
       [](Setting& s) {
         change_next(s, [](Next& next) {
           next.emit[0].tensors[0].second = at::zeros({1});
         });
       },
       "'classes' is f32[1], but classes: i64[N] is declared", "decode"},
      {"DecodedUndefined", tensors,
       [](Setting& s) {
         change_next(s, [](Next& next) {
           next.emit[0].tensors[0].second = at::Tensor();
         });
       },
       "'classes' is no tensor", "decode"},
      {"ForkWithoutWidth", tokens,
       [](Setting& s) {
         s.stages.decode = [](const Step&, const Result&, Nexts& out) {
           for (int branch = 0; branch < 2; ++branch) {
             Next& next = out.emplace_back();
             next.branch = branch;
             next.tokens = {3};
           }
         };
       },
       "decode forks an item into 2 sequences, but its Item::width is 1",
       "decode"},
      {"WritesForEver", tokens,
       [](Setting& s) {
         s.facts["context_length"] = std::int64_t{20};
         change_next(s, [](Next& next) { next.finish = Finish::kNo; });
       },
       "decode makes a sequence of 21 tokens, but the model's context holds 20",
       "decode"},
      {"NothingChanges", tokens,
       [](Setting& s) {
         s.stages.decode = [](const Step&, const Result&, Nexts& out) {
           out.emplace_back();
         };
       },
       "decode made no progress for 256 steps", "decode"},
      {"BackAndForth", tokens,
       [](Setting& s) {
         s.stages.decode = [](const Step& step, const Result&, Nexts& out) {
           Next& next = out.emplace_back();
           if (step.slices[0].sequence->tokens.size() > 1) {
             next.keep = 1;
           } else {
             next.tokens = {3};
           }
         };
       },
       "decode made no progress for 4096 steps", "decode"},
      {"ScoresOfNothingForEver", tokens,
       [](Setting& s) {
         s.stages.start = [](Sequence& sequence) {
           sequence.want.from = 1 << 20;
         };
         s.stages.decode = [](const Step&, const Result&, Nexts&) {};
       },
       "decode said nothing of a sequence that ran to its end", "decode"},
  };
}

INSTANTIATE_TEST_SUITE_P(Table, Mistakes, ::testing::ValuesIn(mistakes()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::uses

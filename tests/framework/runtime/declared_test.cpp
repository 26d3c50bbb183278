// What stages set without having declared it is refused by name; what they did
// not declare to read is not there.
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/keys.h"
#include "tests/framework/runtime/uses.h"

namespace penstock::uses {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Ends every sequence at once.
Stages plain() {
  Stages stages;
  stages.forward = [](const Step& step) {
    return full_scores(at::ones({step.outs(), fakes::kVocab}));
  };
  stages.start = [](Sequence& sequence) { sequence.want.full = true; };
  stages.decode = [](const Step& step, const Result&, std::vector<Next>& out) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      Next& next = out.emplace_back();
      next.slice = i;
      next.finish = Finish::kEnd;
    }
  };
  return stages;
}

/// What went wrong with a request; "": nothing.
std::string problem_of(Stages& stages) {
  const auto got = run(stages, {"1"});
  return got[0].report.error ? got[0].report.error->what() : "";
}

/// The same stages, each with a change to what Decode says.
Stages with_decode(const std::function<void(Next&)>& change) {
  Stages stages = plain();
  stages.decode = [inner = stages.decode, change](const Step& step,
                                                  const Result& picked,
                                                  std::vector<Next>& out) {
    inner(step, picked, out);
    change(out.front());
  };
  return stages;
}

TEST(Declared, NotesPass) {
  Stages stages = plain();
  stages.notes = {spec_of(kTime), spec_of(kTruncated)};
  stages.preprocess = {[](const Request&, Item in, ItemSink& out) {
    in.tokens = {1};
    set(in.notes, kTime, 2);
    out.push(std::move(in));
  }};
  stages.admit = [](Item& item) { set(item.notes, kTruncated, 3); };
  const auto got = run(stages, {"1"});
  ASSERT_FALSE(got[0].report.error) << got[0].report.error->what();
  EXPECT_EQ(get(got[0].report.notes, kTime), 2);
  EXPECT_EQ(get(got[0].report.notes, kTruncated), 3);
}

/// A gate may find nothing in a sound, whose length is still of interest.
TEST(Declared, NotesOfAnItemThatGoesNoFurtherAreTold) {
  Stages stages = plain();
  stages.notes = {spec_of(kTime)};
  stages.preprocess = {[](const Request&, Item in, ItemSink& out) {
                         set(in.notes, kTime, 2);
                         out.push(std::move(in));
                       },
                       [](const Request&, Item, ItemSink&) {}};
  const auto got = run(stages, {"1"});
  ASSERT_FALSE(got[0].report.error) << got[0].report.error->what();
  EXPECT_EQ(get(got[0].report.notes, kTime), 2);
}

TEST(Declared, NotesOfWhatWasDecodedWin) {
  Stages stages = plain();
  stages.notes = {spec_of(kTime)};
  stages.preprocess = {[](const Request&, Item in, ItemSink& out) {
                         set(in.notes, kTime, 2);
                         out.push(std::move(in));
                       },
                       [](const Request&, Item in, ItemSink& out) {
                         in.tokens = {1};
                         set(in.notes, kTime, 3);
                         out.push(std::move(in));
                       }};
  stages.decode = [inner = stages.decode](const Step& step,
                                          const Result& picked,
                                          std::vector<Next>& out) {
    inner(step, picked, out);
    out.front().emit.emplace_back();
  };
  stages.write = [](const Decoded&, OutputSink&) { return true; };
  const auto got = run(stages, {"1"});
  ASSERT_FALSE(got[0].report.error) << got[0].report.error->what();
  EXPECT_EQ(get(got[0].report.notes, kTime), 3);
}

TEST(Undeclared, NotesOfPreprocessAreRefused) {
  Stages stages = plain();
  stages.preprocess = {[](const Request&, Item in, ItemSink& out) {
    in.tokens = {1};
    set(in.notes, kTime, 2);
    out.push(std::move(in));
  }};
  const auto refused =
      AllOf(HasSubstr("it sets the note 'time: number', which it does not "
                      "declare"),
            HasSubstr("stage 'preprocess' (any0)"));
  EXPECT_THAT(problem_of(stages), refused);
  stages.notes = {{"time", ParamType::kText}};  // of another type
  EXPECT_THAT(problem_of(stages), refused);
}

TEST(Undeclared, NotesOfBatchAreRefused) {
  Stages stages = plain();
  stages.admit = [](Item& item) { set(item.notes, kTruncated, 3); };
  EXPECT_THAT(problem_of(stages),
              AllOf(HasSubstr("it sets the note 'truncated: integer'"),
                    HasSubstr("stage 'batch' (any)")));
}

TEST(Undeclared, NotesOfDecodeAreRefused) {
  Stages stages = with_decode(
      [](Next& next) { set(next.emit.emplace_back().notes, kNoSpeech, 0.5); });
  EXPECT_THAT(problem_of(stages),
              AllOf(HasSubstr("it sets the note 'no_speech: number'"),
                    HasSubstr("stage 'decode' (any)")));
  stages.notes = {spec_of(kNoSpeech)};
  EXPECT_EQ(problem_of(stages), "");
}

TEST(Undeclared, InputsOfTheNextStepAreRefused) {
  Stages stages = with_decode([](Next& next) {
    next.inputs = {{"seek", at::ones({1})}};
  });
  EXPECT_THAT(problem_of(stages),
              AllOf(HasSubstr("it sets the input 'seek' for the next step"),
                    HasSubstr("stage 'decode' (any)")));
  stages.next_inputs = {parse_port("seek: f32[1]")};
  EXPECT_EQ(problem_of(stages), "");
}

TEST(Undeclared, FactsAreRefusedWhenTheModelIsOpened) {
  Stages stages = plain();
  stages.open_forward = [](StageContext& context) {
    set(context.facts, kVocabSize, 24);
  };
  try {
    const Pipeline pipeline(file(stages));
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("it sets the fact 'vocab_size: integer'"),
                      HasSubstr("stage 'forward' (any)")));
  }
  stages.forward_facts.makes = {spec_of(kVocabSize)};
  const Pipeline pipeline(file(stages));
  EXPECT_EQ(get(pipeline.facts(), kVocabSize), 24);
}

TEST(Facts, AreThereForWhoeverDeclaredThem) {
  Stages stages = plain();
  stages.forward_facts.makes = {spec_of(kVocabSize), spec_of(kContextLength),
                                spec_of(kDtype)};
  stages.open_forward = [](StageContext& context) {
    set(context.facts, kVocabSize, 24);
    set(context.facts, kContextLength, 200);
    set(context.facts, kDtype, "fp32");
  };
  stages.decode_facts.needs = {spec_of(kVocabSize)};
  stages.decode_facts.uses = {spec_of(kDtype)};
  Notes seen;
  stages.open_decode = [&](StageContext& context) { seen = context.facts; };
  const Pipeline pipeline(file(stages));
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(get(seen, kVocabSize), 24);
  EXPECT_EQ(get(seen, kDtype), "fp32");
  EXPECT_EQ(pipeline.facts().size(), 3U);
}

}  // namespace
}  // namespace penstock::uses

// run_stage() runs stages of every kind, and says what is wrong with bad ones.
#include "penstock/testing/run_stage.h"

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/keys.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::string& yaml, const Given& given = {}) {
  try {
    (void)run_stage(yaml, given);
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

/// After token n comes n + 1, of 10.
std::vector<float> counting(const Tokens& tokens) {
  std::vector<float> scores(10);
  scores[static_cast<std::size_t>((tokens.back() + 1) % 10)] = 1;
  return scores;
}

TEST(RunStage, RunsAPreprocess) {
  const Made made =
      run_stage("{use: echo.bytes}", {.inputs = {{"text", "Hi"}}});
  ASSERT_EQ(made.items.size(), 1U);
  EXPECT_EQ(made.items[0].tokens, (Tokens{72, 105}));
}

TEST(RunStage, RunsAListOfThemOnWhatAStageBeforeMade) {
  const Made made =
      run_stage("- {use: fake.preprocess}\n- {use: echo.bytes}",
                {.items = {{.notes = {{kText.name, std::string("A")}}}}});
  EXPECT_EQ(made.items.at(0).tokens, (Tokens{65}));
}

TEST(RunStage, RunsABatch) {
  const Made made = run_stage("{use: core.pad, max_sequences: 2}",
                              {.items = {{.tokens = {1, 2}}, {.tokens = {3}}}});
  const auto& ids = get(made.steps.at(0).inputs, "input_ids");
  EXPECT_EQ(ids.sizes(), (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(made.decoded.size(), 2U);
}

TEST(RunStage, RunsAForward) {
  const Made made = run_stage("{use: echo.forward}",
                              {.items = {{.tokens = {7, 8}}}, .new_tokens = 3});
  EXPECT_EQ(made.outcome.report.token_ids, (Tokens{7, 8, 256}));
  // The first step looks at the prompt's scores as well.
  EXPECT_EQ(made.steps.at(0).result.scores.full.size(0), 2);
}

TEST(RunStage, RunsADecodeOnScores) {
  const Made made = run_stage("{use: core.sample, max_new_tokens: 3}",
                              {.items = {{.tokens = {4}}}, .scores = counting});
  EXPECT_EQ(made.outcome.report.token_ids, (Tokens{5, 6, 7}));
}

TEST(RunStage, GivesOptionsAsARequestDoes) {
  const Made made =
      run_stage("{use: core.sample}", {.options = {{"max_new_tokens", "2"}},
                                       .items = {{.tokens = {4}}},
                                       .scores = counting});
  EXPECT_EQ(made.outcome.report.token_ids, (Tokens{5, 6}));
}

TEST(RunStage, RunsADecodeOnNamedOutputs) {
  const Made made =
      run_stage("{use: core.top, top_k: 1}",
                {.outputs = {{{"logits", at::tensor({0.F, 2.F})}},
                             {{"logits", at::tensor({3.F, 0.F})}}}});
  ASSERT_EQ(made.decoded.size(), 2U);
  for (const Decoded& decoded : made.decoded) {
    const auto best = get(decoded.tensors, "classes")[0].item<std::int64_t>();
    EXPECT_EQ(best, decoded.item->index == 0 ? 1 : 0);
  }
}

TEST(RunStage, GivesTheScoresAsHiddenStates) {
  const Made made = run_stage("{use: core.pool, pool: last, normalize: false}",
                              {.items = {{.tokens = {4}}}, .scores = counting});
  const auto& vector = get(made.decoded.at(0).tensors, "embedding");
  EXPECT_EQ(vector.numel(), 10);
  EXPECT_EQ(vector[5].item<float>(), 1);
}

TEST(RunStage, RunsAPostprocess) {
  Decoded first;
  first.tokens = {0xC3};
  Decoded second;
  second.tokens = {0xA4, 'b'};
  const Made made = run_stage("{use: echo.text}", {.decoded = {first, second}});
  EXPECT_EQ(made.outcome.text(),
            "\xC3\xA4"
            "b");
}

TEST(RunStage, RunsSeveralStagesAsOnePipeline) {
  const Made made = run_stages(
      "preprocess: {use: echo.bytes}\nforward: {use: echo.forward}\n"
      "decode: {use: core.sample}\npostprocess: {use: echo.text}",
      {.inputs = {{"text", "again"}}});
  EXPECT_EQ(made.outcome.text(), "again");
}

TEST(RunStage, ThrowsWhatARunWould) {
  EXPECT_THAT(error_of("{use: core.sample, top_q: 1}"),
              HasSubstr("did you mean 'top_k'?"));
  EXPECT_THAT(error_of("{use: echo.bytes}", {.inputs = {{"text", ""}}}),
              HasSubstr("the text is empty"));
  EXPECT_THAT(error_of("{use: bad.idel}"),
              HasSubstr("did you mean 'bad.idle'?"));
  EXPECT_THAT(error_of("{use: fake.decode}"), HasSubstr("names fakes alone"));
  EXPECT_THAT(error_of("core.sample"), HasSubstr("has no `use:`"));
}

TEST(RunStage, NamesAStageThatBreaksItsWord) {
  EXPECT_THAT(error_of("{use: bad.undeclared}"),
              AllOf(HasSubstr("'text: text', which it does not declare"),
                    HasSubstr("(bad.undeclared)")));
  EXPECT_THAT(error_of("{use: bad.wrong_shape}"),
              AllOf(HasSubstr("f32[3,5]"), HasSubstr("(bad.wrong_shape)")));
  EXPECT_THAT(error_of("{use: bad.idle}"), HasSubstr("(bad.idle)"));
}

TEST(LinkedCatalog, HasTheStagesOfThePluginThatIsLinked) {
  const LinkedCatalog catalog;
  ASSERT_EQ(catalog.linked().size(), 6U);
  EXPECT_EQ(catalog.linked()[0].name, "bad.undeclared");
}

}  // namespace
}  // namespace penstock::testing

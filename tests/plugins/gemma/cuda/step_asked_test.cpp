// What a step by one kernel is asked beside the plainest: rows that only some
// tokens may follow, drafts of several rows, models with many query heads to
// one of keys.
#include <gtest/gtest.h>

#include <memory>

#include "tests/plugins/gemma/cuda/alike.h"
#include "tests/plugins/gemma/cuda/step_runs.h"
#include "tests/plugins/gemma/support.h"
#include "tests/plugins/gemma/typed_model.h"

namespace penstock::gemma::cuda {
namespace {

std::shared_ptr<const TokenSet> some() {
  return std::make_shared<TokenSet>(Tokens{3, 77, 300, 575});
}
std::shared_ptr<const TokenSet> even() {
  return std::make_shared<TokenSet>(
      std::vector<std::uint64_t>(9, 0x5555555555555555U));
}

/// As many do and, at f32, as the reference does.
void expect_right(const std::string& model, const StepCase& how,
                  const std::vector<StepAsked>& asked) {
  constexpr int kSteps = 3;
  const auto got = expect_same(model, how, asked, kSteps);
  const auto wanted = decode_by_reference(model, how, asked, kSteps);
  for (std::size_t i = 0; i < got.size(); ++i) {
    SCOPED_TRACE(::testing::Message() << "step " << i);
    expect_alike(got[i], wanted[i]);
  }
}

/// Of rows with a mask and without; one has fewer tokens than are asked for.
TEST_F(OneKernel, AnswersAsManyDoWhereOnlySomeTokensMayCome) {
  const std::vector<StepAsked> asked{
      {.want = {.top = 6, .norm = true, .ids = {77, 78}, .allowed = {some()}}},
      {.want = {.top = 2, .ids = {4, 5}, .allowed = {even()}}},
      {.want = {.top = 3, .norm = true, .ids = {0, 575}}}};
  expect_right(tiny("untied.gguf"), {}, asked);
  (void)expect_same(tiny("scaled.gguf"), {.type = NumberType::kBf16}, asked, 2);
}

/// Rows of one sequence see each other's keys, which the same kernel writes; of
/// six rows in a graph of eight.
TEST_F(OneKernel, AnswersAsManyDoOfDrafts) {
  const std::vector<StepAsked> asked{
      {.want = {.top = 2, .norm = true, .ids = {8}}, .drafts = 2},
      {.want = {.top = 4, .ids = {9}}},
      {.want = {.top = 3, .ids = {10}}, .drafts = 1}};
  expect_right(tiny("scaled.gguf"), {}, asked);
  expect_right(tiny("scaled.gguf"), {},
               {{.want = {.top = 1, .ids = {}}, .drafts = 7}});
  (void)expect_same(tiny("tiny_gqa.gguf"), {.type = NumberType::kBf16}, asked,
                    2);
}

/// What may follow differs along a draft.
TEST_F(OneKernel, AnswersAsManyDoOfDraftsUnderMasks) {
  const std::vector<StepAsked> asked{
      {.want = {.top = 5,
                .norm = true,
                .ids = {77, 300},
                .allowed = {even(), nullptr, some()}},
       .drafts = 3},
      {.want = {.top = 8, .ids = {5, 6}, .allowed = {some(), even()}},
       .drafts = 1}};
  expect_right(tiny("scaled.gguf"), {}, asked);
}

/// A block of attention has two query heads here, four in a launch; groups of
/// five and seven leave one over.
TEST_F(OneKernel, AnswersAsManyDoOfLargeGroups) {
  const std::vector<StepAsked> asked{
      {.want = {.top = 3, .norm = true, .ids = {7}}},
      {.want = {.top = 3, .ids = {8}}, .drafts = 2}};
  for (const TypedHeads& heads :
       {TypedHeads{5, 1, 48}, TypedHeads{7, 1, 24}, TypedHeads{12, 2, 16},
        TypedHeads{16, 1, 16}}) {
    SCOPED_TRACE(::testing::Message() << heads.queries << " of " << heads.keys);
    const TypedFile file(typed_model(gguf_type("F32"), heads));
    expect_right(file.path(), {.second_prompt = 20}, asked);
  }
  const TypedFile file(typed_model(gguf_type("BF16"), {7, 1, 24}));
  (void)expect_same(file.path(),
                    {.type = NumberType::kBf16, .second_prompt = 20}, asked, 2);
}

}  // namespace
}  // namespace penstock::gemma::cuda

#include "tests/plugins/gemma/cuda/step_runs.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/plugins/gemma/cuda/apis.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

/// The best token of each is what follows.
std::vector<Scores> drive(Forward& forward, const StepCase& how,
                          const std::vector<StepAsked>& asked, int steps) {
  Sequences all(forward, asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    all.at(i).tokens.assign(i == 1 ? how.second_prompt : 3 + i, 5 + n);
    all.at(i).want = asked[i].want;
  }
  std::vector<Scores> out;
  for (int step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < asked.size(); ++i) {
      for (int d = 0; d < asked[i].drafts; ++d) {
        all.at(i).draft.push_back(11 + 3 * d + step);
      }
    }
    out.push_back(all.run_rest());
    std::int64_t row = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      Sequence& sequence = all.at(i);
      if (asked[i].drafts > 0) {
        sequence.cached = std::ssize(sequence.tokens);
        forward.truncate(static_cast<int>(i), sequence.cached);
        sequence.draft.clear();
      }
      sequence.tokens.push_back(out.back().ids[row][0].item<std::int64_t>());
      row += 1 + asked[i].drafts;
    }
  }
  return out;
}

}  // namespace

CudaEngine::Options step_options(const StepCase& how) {
  return {.type = how.type,
          .keeps_codes = how.keeps_codes,
          .slots = 8,
          .chunk = 64,
          .rows = 64,
          .runs_ahead = how.runs_ahead,
          .is_one_kernel = how.is_one_kernel};
}

StepAnswers decode(const std::string& model, const StepCase& how,
                   const std::vector<StepAsked>& asked, int steps) {
  const auto api = std::make_shared<gpu::RecordingApi>(
      std::make_shared<gpu::SimulatedApi>(how.device));
  EngineForward cuda(sim_engine(model, step_options(how), api));
  StepAnswers out{.steps = drive(cuda, how, asked, steps)};
  const auto names = gpu::names(api->take());
  out.has_one_kernel =
      std::find(names.begin(), names.end(), "step") != names.end();
  return out;
}

std::vector<Scores> decode_by_reference(const std::string& model,
                                        const StepCase& how,
                                        const std::vector<StepAsked>& asked,
                                        int steps) {
  Driven driven(model,
                {.engine = "reference", .dtype = "fp32", .logits = false});
  return drive(driven.forward(), how, asked, steps);
}

std::vector<Scores> expect_same(const std::string& model, StepCase how,
                                const std::vector<StepAsked>& asked,
                                int steps) {
  StepAnswers one = decode(model, how, asked, steps);
  how.is_one_kernel = false;
  const StepAnswers many = decode(model, how, asked, steps);
  EXPECT_TRUE(one.has_one_kernel);
  EXPECT_FALSE(many.has_one_kernel);
  for (std::size_t i = 0; i < one.steps.size(); ++i) {
    SCOPED_TRACE(::testing::Message()
                 << asked.size() << " sequences, step " << i);
    const Scores& got = one.steps[i];
    const Scores& wanted = many.steps[i];
    EXPECT_TRUE(got.ids.equal(wanted.ids));
    EXPECT_TRUE(got.values.equal(wanted.values));
    if (wanted.norm.defined()) {
      EXPECT_TRUE(got.norm.allclose(wanted.norm, 1e-5, 1e-8, true));
    }
    if (wanted.at.defined()) {
      EXPECT_TRUE(got.at.allclose(wanted.at, 0, 0, true));
    }
  }
  return std::move(one.steps);
}

void expect_same(const std::string& model, const StepCase& how,
                 std::size_t sequences, int steps, const Want& want) {
  (void)expect_same(model, how,
                    std::vector<StepAsked>(sequences, {.want = want}), steps);
}

}  // namespace penstock::gemma::cuda

// Sequences that decode by one kernel for a step and by the graph of many, on a
// simulated device.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gemma/cuda/engine.h"
#include "lib/gpu/simulated_api.h"
#include "penstock/forward.h"
#include "penstock/parallel.h"

namespace penstock::gemma::cuda {

struct StepCase {
  NumberType type = NumberType::kF32;
  bool keeps_codes = false;
  bool is_one_kernel = true;
  bool runs_ahead = false;
  std::size_t second_prompt = 70;  ///< of two pages, where the context has them
  gpu::SimulatedApi::Options device = {};
};

[[nodiscard]] CudaEngine::Options step_options(const StepCase& how);

/// What a sequence asks of each of its steps.
struct StepAsked {
  Want want;
  int drafts = 0;  ///< guesses a step, of which none is kept
};

/// Answers of steps, the first of which are the prompts'.
struct StepAnswers {
  std::vector<Scores> steps;
  bool has_one_kernel = false;  ///< `step` was launched
};
[[nodiscard]] StepAnswers decode(const std::string& model, const StepCase& how,
                                 const std::vector<StepAsked>& asked,
                                 int steps);
/// As the reference engine does it.
[[nodiscard]] std::vector<Scores> decode_by_reference(
    const std::string& model, const StepCase& how,
    const std::vector<StepAsked>& asked, int steps);

/// The best, their scores and single scores to the bit; a sum of exponentials
/// is cut otherwise. Gives what the one kernel answered.
std::vector<Scores> expect_same(const std::string& model, StepCase how,
                                const std::vector<StepAsked>& asked, int steps);
void expect_same(const std::string& model, const StepCase& how,
                 std::size_t sequences, int steps, const Want& want);

class OneKernel : public ::testing::Test {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }
};

}  // namespace penstock::gemma::cuda

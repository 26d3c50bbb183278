// The loop around a model: a U-Net of diffusers, run by torch.forward, makes of
// a noise what diffusers makes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/full.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>

#include "tests/plugins/diffusion/support.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

GivenItem item_of(const nlohmann::json& golden) {
  return item(
      {{"sample", tensor_of(golden.at("noise"))},
       {"timestep", at::scalar_tensor(0.0F)},
       {"condition",
        at::scalar_tensor(golden.at("condition").get<int>(), at::kLong)}});
}

std::string stages_of(const nlohmann::json& golden, const std::string& more) {
  return str("batch: {use: core.stack, max_sequences: 4, max_wait_ms: 500}\n",
             "forward: {use: torch.forward}\ndecode: {use: diffusion.denoise, ",
             golden.at("params").get<std::string>(),
             ", steps: ", golden.at("count").get<int>(),
             ", guidance: ", golden.at("guidance").get<double>(),
             ", empty: ", diffusers_said().at("empty").get<int>(), more, "}");
}

Made run_diffusion(const nlohmann::json& golden, std::vector<GivenItem> items,
                   const std::string& more = "") {
  return run_stages(stages_of(golden, more),
                    {.model = model("unet.pt2"), .items = std::move(items)});
}

at::Tensor last_sample(const nlohmann::json& golden) {
  return tensor_of(golden.at("steps").back().at("after"));
}

class Loops : public ::testing::TestWithParam<std::string> {};

TEST_P(Loops, EndWhereDiffusersEnds) {
  const auto& golden = diffusers_said().at("cases").at(GetParam());
  const Made made = run_diffusion(golden, {item_of(golden)});
  // Guidance asks the model twice a step, and every answer is diffusers'.
  std::vector<at::Tensor> said;
  for (const auto& step : golden.at("steps")) {
    said.push_back(tensor_of(step.at("prediction")));
    if (step.contains("without")) {
      said.push_back(tensor_of(step.at("without")));
    }
  }
  ASSERT_EQ(made.steps.size(), said.size());
  for (std::size_t i = 0; i < said.size(); ++i) {
    const at::Tensor& got = get(made.steps[i].result.out, "prediction");
    EXPECT_TRUE(got[0].allclose(said[i], 1e-4, 1e-4)) << "run " << i;
  }
  ASSERT_EQ(made.decoded.size(), 1U);
  EXPECT_TRUE(get(made.decoded[0].tensors, "sample")
                  .allclose(last_sample(golden), 1e-4, 1e-4));
}

INSTANTIATE_TEST_SUITE_P(Table, Loops,
                         ::testing::Values("ddim", "ddim_guided",
                                           "euler_leading", "euler_karras",
                                           "dpm", "dpm_karras"),
                         [](const auto& test) { return test.param; });

TEST(Denoise, OfSeveralSamplesGivesEachItsOwn) {
  const auto& golden = diffusers_said().at("cases").at("ddim_guided");
  GivenItem other = item_of(golden);
  other.inputs[0].second = other.inputs[0].second.flip(1).contiguous();
  const Made alone = run_diffusion(golden, {other});
  const Made both = run_diffusion(golden, {item_of(golden), other});
  EXPECT_EQ(both.steps.front().slices.size(), 2U);
  ASSERT_EQ(both.decoded.size(), 2U);
  EXPECT_TRUE(get(both.decoded[0].tensors, "sample")
                  .allclose(last_sample(golden), 1e-4, 1e-4));
  EXPECT_TRUE(
      get(both.decoded[1].tensors, "sample")
          .allclose(get(alone.decoded[0].tensors, "sample"), 1e-4, 1e-4));
}

TEST(Denoise, GivesPreviewsAndTellsTheStep) {
  const auto& golden = diffusers_said().at("cases").at("ddim");
  const Made made =
      run_diffusion(golden, {item_of(golden)}, ", preview_every: 2");
  ASSERT_EQ(made.decoded.size(), 2U);
  EXPECT_EQ(std::get<std::int64_t>(made.decoded[0].notes.at("step")), 2);
  EXPECT_EQ(std::get<std::int64_t>(made.decoded[1].notes.at("step")), 4);
  EXPECT_EQ(std::get<std::int64_t>(made.decoded[0].notes.at("steps")), 4);
  EXPECT_EQ(made.decoded[0].finish, Finish::kNo);
  EXPECT_EQ(made.decoded[1].finish, Finish::kEnd);
}

TEST(Denoise, TakesAnEmptyConditionOfTheItem) {
  const auto& golden = diffusers_said().at("cases").at("ddim_guided");
  GivenItem given = item_of(golden);
  given.inputs.emplace_back("empty", at::scalar_tensor(10, at::kLong));
  // The stage's own would be another class.
  const Made made = run_stages(
      stages_of(golden, "")
          .replace(stages_of(golden, "").find("empty: 10"), 9, "empty: 3"),
      {.model = model("unet.pt2"), .items = {given}});
  EXPECT_TRUE(get(made.decoded.at(0).tensors, "sample")
                  .allclose(last_sample(golden), 1e-4, 1e-4));
}

TEST(Denoise, OfAModelWithoutItsInputsIsRefused) {
  const auto& golden = diffusers_said().at("cases").at("ddim");
  GivenItem given = item_of(golden);
  given.inputs[0].first = "x";
  given.inputs.emplace_back("sample", given.inputs[0].second);
  try {
    (void)run_stages(
        "forward: {use: torch.forward, names: [sample=x]}\n"
        "decode: {use: diffusion.denoise}",
        {.model = model("unet.pt2"), .items = {given}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("decode gives 'sample' for the next "
                                        "step, and "));
    EXPECT_THAT(error.what(), HasSubstr("unet.pt2 has no such input"));
  }
}

/// What running one step on such a prediction throws, or "".
std::string failure_of(const at::Tensor& prediction,
                       const std::string& params = "") {
  try {
    (void)run_stage("{use: diffusion.denoise, steps: 1" + params + "}",
                    {.items = {item({{"sample", at::zeros({1, 2, 2})},
                                     {"timestep", at::scalar_tensor(0.0F)}})},
                     .outputs = {{{"prediction", prediction}}}});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Denoise, SaysWhatIsWrongWithAPrediction) {
  EXPECT_EQ(failure_of(at::zeros({1, 2, 2})), "");
  EXPECT_EQ(failure_of(at::zeros({2, 2, 2})), "");  // with a learned variance
  EXPECT_THAT(failure_of(at::zeros({1, 2, 3})),
              HasSubstr("the model's prediction is f32[1,2,3] and its sample "
                        "f32[1,2,2]"));
  EXPECT_THAT(failure_of(at::full({1, 2, 2}, NAN)),
              HasSubstr("the model's prediction is not finite"));
  EXPECT_THAT(failure_of(at::zeros({1, 2, 2}), ", guidance: 2"),
              HasSubstr("the model has no input 'condition'"));
}

}  // namespace
}  // namespace penstock::testing

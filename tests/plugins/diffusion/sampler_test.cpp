// Every number of every step is that of diffusers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>

#include <sstream>

#include "diffusion/denoise.h"
#include "tests/plugins/diffusion/support.h"

namespace penstock::testing {
namespace {

using diffusion::Denoise;
using diffusion::Sampler;

/// The stage's params of "scheduler: ddim, clip: true".
Denoise::Params params_from(const std::string& text) {
  LinkedCatalog catalog;
  const ParamSchema& schema = catalog.find("diffusion.denoise").params;
  const auto made = schema.make();
  std::istringstream list(text);
  for (std::string part; std::getline(list, part, ',');) {
    const auto colon = part.find(": ");
    const auto begin = part.find_first_not_of(' ');
    const ParamSpec* spec = schema.find(part.substr(begin, colon - begin));
    schema.set(made.get(), *spec,
               parse_param(*spec, raw_from_text(part.substr(colon + 2))));
  }
  return *static_cast<const Denoise::Params*>(made.get());
}

/// Numbers of the size of one are near to 1e-4, larger ones in proportion.
void expect_near(const at::Tensor& got, const at::Tensor& want,
                 const std::string& what) {
  EXPECT_TRUE(got.allclose(want, 1e-4, 1e-4))
      << what << " is off by " << (got - want).abs().max().item<double>();
}

class Schedulers : public ::testing::TestWithParam<std::string> {};

TEST_P(Schedulers, DoWhatThoseOfDiffusersDo) {
  const auto& golden = diffusers_said().at("cases").at(GetParam());
  Denoise::Params params = params_from(golden.at("params"));
  params.steps = golden.at("count");
  Sampler sampler(params, tensor_of(golden.at("noise")));
  const double guidance = golden.at("guidance");
  for (const auto& step : golden.at("steps")) {
    const std::string at = str("step ", sampler.step());
    ASSERT_FALSE(sampler.is_done());
    EXPECT_NEAR(sampler.timestep(), step.at("timestep").get<double>(), 1e-2);
    expect_near(sampler.input(), tensor_of(step.at("sample")),
                at + ": the input");
    at::Tensor said = tensor_of(step.at("prediction"));
    if (guidance != 1) {
      const at::Tensor without = tensor_of(step.at("without"));
      said = without + (said - without) * guidance;
    }
    sampler.advance(said);
    expect_near(sampler.sample(), tensor_of(step.at("after")),
                at + ": the sample");
  }
  EXPECT_TRUE(sampler.is_done());
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& [name, each] : diffusers_said().at("cases").items()) {
    names.push_back(name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Table, Schedulers, ::testing::ValuesIn(case_names()),
                         [](const auto& test) { return test.param; });

TEST(Schedule, SaysWhatDoesNotGoTogether) {
  using ::testing::HasSubstr;
  EXPECT_THAT(conflict_of(params_from("steps: 1001")),
              HasSubstr("more than the model's 1000 (train_steps)"));
  EXPECT_THAT(conflict_of(params_from("karras: true")),
              HasSubstr("ddim has no sigmas"));
  EXPECT_THAT(conflict_of(params_from("beta_start: 0.5, beta_end: 0.1")),
              HasSubstr("beta_start is not below"));
  EXPECT_EQ(conflict_of(params_from("steps: 1000")), "");
}

}  // namespace
}  // namespace penstock::testing

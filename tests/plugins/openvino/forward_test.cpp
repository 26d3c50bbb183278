// What is wrong with a model, or with what it is given, is said where it can be
// mended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>

#include <array>

#include "tests/plugins/openvino/support.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

struct BadModel {
  std::string file, params;
  std::vector<std::string> words;
};
void PrintTo(const BadModel& c, std::ostream* os) { *os << c.file; }

class BadModels : public ::testing::TestWithParam<BadModel> {};

TEST_P(BadModels, AreRefusedWithAReason) {
  const BadModel& c = GetParam();
  const std::string text =
      failure(model(c.file), c.params, {item({{"x", at::ones({4})}})});
  EXPECT_THAT(text, HasSubstr(c.file));
  for (const auto& words : c.words) EXPECT_THAT(text, HasSubstr(words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadModels,
    ::testing::ValuesIn<BadModel>({
        {"bad_custom_op.onnx",
         "",
         {"OpenVINO has no operation MyOp of my.company (node 'foo')"}},
        {"bad_unknown_op.onnx",
         "",
         {"OpenVINO has no operation Frobnicate (node 'bar')"}},
        {"no_rank.onnx", "", {"OpenVINO cannot load it", "dynamic rank"}},
        {"bad_version.xml", "", {"it is IR 99"}},
        {"bad_text.onnx", "", {"is no tensor of numbers"}},
        {"bad_expand.onnx", "", {"makes a tensor of"}},
        {"bad_escape.onnx", "", {"may only read files beside it"}},
    }));

TEST(Given, OfAnotherDtypeIsRefusedBeforeAWeightIsRead) {
  const auto x = at::ones({4}, at::kDouble);
  EXPECT_THAT(failure(model("affine.onnx"), "", {item({{"x", x}})}),
              HasSubstr("port 'x': it is f64, expected f32"));
}

TEST(Given, OfAnotherDimIsRefusedBeforeAWeightIsRead) {
  EXPECT_THAT(failure(model("affine.onnx"), "", {item({{"x", at::ones({5})}})}),
              HasSubstr("port 'x': dim 1 is 5, expected 4 (x: f32[B,4])"));
}

TEST(Given, NothingForAnInputSaysHowToFillIt) {
  const auto ids = at::ones({5}, at::kLong);
  EXPECT_THAT(
      failure(model("encoder.onnx"), "", {item({{"ids", ids}, {"mask", ids}})}),
      HasSubstr("openvino.forward: the model wants types: i64[B,time] and "
                "nothing gives it (given: ids, mask); fill it with set: "
                "[\"types=0\"]"));
}

TEST(Given, DimsOfOneNameAreComparedBeforeAWeightIsRead) {
  EXPECT_THAT(failure(model("encoder.onnx"), ", set: [types=0]",
                      {item({{"ids", at::ones({6}, at::kLong)},
                             {"mask", at::ones({5}, at::kLong)}})}),
              HasSubstr("port 'mask': dim 1 is 5, expected 6 as time before"));
}

/// What the Binder throws for these tensors.
std::string refusal(const ModelOptions& options, const Tensors& given) {
  const ModelPorts ports =
      model_ports(read_model_head(model("encoder.onnx")), options);
  const std::string file = "encoder.onnx";
  const exported::Binder::Ranges none;
  const exported::Binder binder(file, ports, none);
  try {
    (void)binder.bind(
        [&](const ModelInput& input) { return get(given, input.port.name); },
        {});
  } catch (const Error& error) {
    return error.text();
  }
  return "";
}

TEST(Given, DimsOfOneNameMustBeEqualInAStep) {
  EXPECT_EQ(
      refusal({.set = {"types=0"}}, {{"ids", at::ones({2, 6}, at::kLong)},
                                     {"mask", at::ones({2, 5}, at::kLong)}}),
      "'mask' is i64[2,5], encoder.onnx takes i64[B,time], and time is 6 "
      "in 'ids'");
}

TEST(Given, DtypesAndRanksAreLookedAtInEachStep) {
  const Tensors given{{"ids", at::ones({2, 6}, at::kInt)},
                      {"mask", at::ones({2, 6}, at::kLong)}};
  EXPECT_THAT(refusal({.set = {"types=0"}}, given),
              HasSubstr("'ids' is i32[2,6], encoder.onnx takes i64[B,time]"));
  const Tensors flat{{"ids", at::ones({6}, at::kLong)},
                     {"mask", at::ones({2, 6}, at::kLong)}};
  EXPECT_THAT(refusal({.set = {"types=0"}}, flat),
              HasSubstr("'ids' is i64[6], encoder.onnx takes i64[B,time]"));
}

TEST(Results, OfAnotherShapeInEachRowAreRefused) {
  openvino::OpenvinoForward forward({});
  Notes facts;
  StageContext context{.device = at::kCPU,
                       .model = model("nonzero.onnx"),
                       .slots = 2,
                       .threads = 1,
                       .max_step_tokens = 0,
                       .facts = facts};
  forward.open(context);
  std::array<Item, 2> items;
  std::array<Sequence, 2> sequences;
  Step step;
  for (std::size_t i = 0; i < 2; ++i) {
    sequences[i].item = &items[i];
    step.slices.push_back({.sequence = &sequences[i], .count = 1});
  }
  step.inputs = {
      {"x", at::tensor({0, 0, 0, 0, 1, 1, 1, 1}, at::kFloat).view({2, 4})}};
  try {
    (void)forward.forward(step);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.text(),
              "output 'y' is i64[0,2] for one row and i64[4,2] for another, "
              "which is no batch; set batch.max_sequences: 1");
  }
}

}  // namespace
}  // namespace penstock::testing

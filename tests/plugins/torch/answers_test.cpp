// Every kind of model gives what eager PyTorch gave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>

#include "penstock/testing/difference.h"
#include "tests/plugins/torch/support.h"

namespace penstock::testing {
namespace {

struct Case {
  std::string name;  ///< of the case in answers.json
  std::string file;
  std::string params;  ///< of the stage
  std::string output;  ///< the file's name of what is compared
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name << c.params; }

class Answers : public ::testing::TestWithParam<Case> {};

TEST_P(Answers, AreThoseOfEagerPytorch) {
  const Case& c = GetParam();
  const auto golden = answers().at(c.name);
  const Made made =
      run_model(model(c.file), c.params, items_of(golden.at("inputs")));
  const at::Tensor got = rows_of(made, c.output);
  const at::Tensor want = tensor_of(golden.at("outputs").at(c.output));
  EXPECT_EQ(difference(got, want, {.terms = 64}), "");
  EXPECT_TRUE(got.allclose(want, 1e-5, 1e-5));
}

constexpr const char* kScript =
    ", trust: true, ports: [\"x: f32[B,4]\", \"mask: i64[B]\", "
    "\"-> y: f32[B,3]\", \"-> kept: f32[B,3]\"]";

INSTANTIATE_TEST_SUITE_P(
    Table, Answers,
    ::testing::ValuesIn<Case>({
        {"cnn", "cnn.pt2", "", "linear"},
        {"cnn", "cnn.pt2", ", rows: one", "linear"},
        {"encoder", "encoder.pt2", "", "hidden"},
        {"encoder", "encoder.pt2", "", "pooled"},
        // The file says two rows or more, as every export with AUTO does.
        {"encoder", "encoder.pt2", ", rows: one", "pooled"},
        {"gru", "gru.pt2", ", state: [hN=h], scan: [x]", "y"},
        {"gru", "gru.pt2", ", state: [hN=h], scan: [x], rows: one", "y"},
        {"fixed", "fixed.pt2", "", "linear"},
        {"found", "found.pt2", "", "twice"},
        {"branches", "branches.pt2", ", rows: none", "getitem"},
        {"affine", "native_beside.pt2", "", "linear"},
        {"script", "script.pt", kScript, "y"},
        {"script", "script.pt", kScript, "kept"},
    }));

TEST(Answers, OfMoreRowsThanTheFileWasExportedForComeInRuns) {
  const auto golden = answers().at("affine");
  const Made made = run_stages(
      "batch: {use: core.stack, max_sequences: 8, max_wait_ms: 2000}\n"
      "forward: {use: torch.forward}",
      {.model = model("affine.pt2"), .items = items_of(golden.at("inputs"))});
  EXPECT_EQ(made.steps.front().slices.size(), 8U);  // its range is 1 to 3
  const at::Tensor want = tensor_of(golden.at("outputs").at("linear"));
  EXPECT_EQ(difference(rows_of(made, "linear"), want, {.terms = 4}), "");
}

TEST(Answers, WithAConstantInputAndAnOutputThatIsThereTwice) {
  const auto golden = answers().at("several");
  auto inputs = golden.at("inputs");
  inputs.erase("scale");
  const Made made =
      run_model(model("several.pt2"), ", set: [scale=2]", items_of(inputs));
  const auto want = [&](const char* name) {
    return tensor_of(golden.at("outputs").at(name));
  };
  EXPECT_EQ(difference(rows_of(made, "mul"), want("mul")), "");
  EXPECT_EQ(difference(rows_of(made, "mul_1"), want("mul")), "");
  EXPECT_EQ(difference(rows_of(made, "add"), want("add")), "");
}

TEST(Answers, LeaveTheItemsTensorsAsTheyWere) {
  const at::Tensor x = tensor_of(answers().at("fixed").at("inputs").at("x"));
  const at::Tensor before = x.clone();
  const Made made = run_model(model("bad_input.pt2"), ", rows: none",
                              {item({{"x", x.expand({2, 4}).contiguous()}})});
  EXPECT_TRUE(get(made.steps.at(0).inputs, "x")[0][0].equal(before[0]));
  EXPECT_EQ(difference(rows_of(made, "add")[0][0], before[0] * 2 + 1), "");
}

}  // namespace
}  // namespace penstock::testing

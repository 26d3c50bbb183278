// Every kind of model gives what onnxruntime gave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/ones.h>

#include "penstock/testing/difference.h"
#include "tests/plugins/openvino/support.h"

namespace penstock::testing {
namespace {

struct Case {
  std::string name;    ///< of the case in answers.json
  std::string file;    ///< "": the case's own .onnx
  std::string params;  ///< of the stage
  std::string output;  ///< the file's name of what is compared
  std::string port;    ///< the pipeline's
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name << c.file; }

class Answers : public ::testing::TestWithParam<Case> {};

TEST_P(Answers, AreThoseOfOnnxruntime) {
  const Case& c = GetParam();
  const auto golden = answers().at(c.name);
  auto inputs = golden.at("inputs");
  inputs.erase("scales");  // that one is set
  std::vector<GivenItem> items = items_of(inputs);
  for (GivenItem& item : items) {
    for (auto& [name, tensor] : item.inputs) {
      if (name == "serving_default_input:0") name = "x";
    }
  }
  const Made made = run_model(model(c.file.empty() ? c.name + ".onnx" : c.file),
                              c.params, items);
  EXPECT_EQ(
      difference(rows_of(made, c.port),
                 tensor_of(golden.at("outputs").at(c.output)), {.terms = 64}),
      "");
}

INSTANTIATE_TEST_SUITE_P(
    Table, Answers,
    ::testing::ValuesIn<Case>({
        {"affine", "", "", "y", "y"},
        {"affine", "", ", rows: one", "y", "y"},
        {"affine", "affine_ir.xml", "", "y", "y"},
        {"affine", "", ", names: [y=logits]", "y", "logits"},
        {"encoder", "", "", "hidden", "hidden"},
        {"encoder", "", ", set: [\"types=0\"]", "hidden", "hidden"},
        {"odd_names", "",
         ", names: [\"serving_default_input:0=x\", "
         "\"StatefulPartitionedCall:0=y\"]",
         "StatefulPartitionedCall:0", "y"},
        {"one_row", "", "", "y", "y"},
        {"pixels", "", "", "y", "y"},
        {"scales", "", ", set: [\"scales=0.5 1 2\"]", "y", "y"},
        {"beside", "", "", "y", "y"},
        {"rnn", "", ", set: [sr=2], state: [hN=h], scan: [x]", "y", "y"},
        {"rnn_batch", "", ", state: [hN=h], scan: [x]", "y", "y"},
    }));

TEST(Answers, OfPicturesWithTheChannelsFirst) {
  const auto golden = answers().at("pixels");
  const at::Tensor want = tensor_of(golden.at("outputs").at("y"));
  for (const bool are_planes : {false, true}) {  // or only say that they are
    std::vector<GivenItem> items = items_of(golden.at("inputs"));
    for (GivenItem& each : items) {
      // A little off: bytes are rounded.
      at::Tensor& x = each.inputs.front().second;
      x = x.permute({2, 0, 1}).to(at::kFloat) + 0.25;
      if (are_planes) x = x.contiguous();
    }
    const Made made =
        run_model(model("pixels.onnx"), ", channels_last: [x]", items);
    EXPECT_EQ(difference(rows_of(made, "y"), want), "");
  }
}

TEST(Answers, OfARowWithoutABatchDim) {
  const auto golden = answers().at("no_rows");
  const at::Tensor x = tensor_of(golden.at("inputs").at("x"));
  const Made made = run_model(model("no_rows.onnx"), "",
                              {item({{"x", x}}), item({{"x", -x}})});
  const at::Tensor y = rows_of(made, "y");
  const at::Tensor want = tensor_of(golden.at("outputs").at("y"));
  EXPECT_EQ(difference(y[0], want), "");
  EXPECT_EQ(difference(y[1], want - x), "");  // relu(-x) = relu(x) - x
}

TEST(Answers, OfAnyLengthForOneRow) {
  const auto golden = answers().at("nonzero");
  const at::Tensor x = tensor_of(golden.at("inputs").at("x"))[0];
  const Made made = run_model(model("nonzero.onnx"), "", {item({{"x", x}})});
  EXPECT_EQ(difference(rows_of(made, "y")[0],
                       tensor_of(golden.at("outputs").at("y"))),
            "");
}

TEST(Answers, OfTflite) {
  const at::Tensor x = at::ones({4});
  const Made made = run_model(model("plus_one.tflite"), "", {item({{"x", x}})});
  EXPECT_EQ(difference(rows_of(made, "y")[0], x + 1), "");
}

TEST(Answers, AreLeftAloneByTheNextRun) {
  const at::Tensor x = at::ones({4});
  const Made made = run_stage("{use: openvino.forward, rows: one}",
                              {.model = model("affine.onnx"),
                               .items = {item({{"x", x}}), item({{"x", -x}})}});
  const at::Tensor y = rows_of(made, "y");
  EXPECT_NE(difference(y[0], y[1]), "");
}

}  // namespace
}  // namespace penstock::testing

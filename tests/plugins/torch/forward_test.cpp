// What is wrong with a model, or with what it is given, is said where it can be
// mended; and no file is trusted that was not said to be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <iostream>

#include "tests/plugins/torch/support.h"
#include "torch/graph_check.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct BadTorchModel {
  std::string file, params;
  std::vector<std::string> words;
};
void PrintTo(const BadTorchModel& c, std::ostream* os) { *os << c.file; }

class BadModels : public ::testing::TestWithParam<BadTorchModel> {};

TEST_P(BadModels, AreRefusedWithAReason) {
  const BadTorchModel& c = GetParam();
  const std::string text =
      failure(model(c.file), c.params, {item({{"x", at::ones({4})}})});
  EXPECT_THAT(text, HasSubstr(c.file));
  for (const auto& words : c.words) EXPECT_THAT(text, HasSubstr(words));
  EXPECT_THAT(text, Not(HasSubstr("frame #")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadModels,
    ::testing::ValuesIn<BadTorchModel>({
        {"bad_custom_op.pt2",
         "",
         {"libtorch has no operator mylib.foo.default (node 'foo')"}},
        {"bad_file_op.pt2",
         "",
         {"its operator aten.from_file.default (node 'mapped') reaches files"}},
        {"bad_short_weight.pt2", "", {"takes 48 bytes"}},
        {"bad_slip.pt2", "", {"outside of the archive's own folder"}},
        {"bad_schema.pt2", "", {"schema 9"}},
        {"bad_buffer.pt2", "", {"call model.eval()"}},
        {"state_dict.pt", "", {"weights but no program"}},
        {"bad_text.pt2", "", {"a pickle of an old PyTorch"}},
        {"bad_cut_off.pt2", "", {"no directory of a zip archive"}},
        {"affine.onnx", "", {"it is onnx, which openvino.forward runs"}},
        {"script.pt",
         "",
         {"it is TorchScript, and such a file runs code as "
          "you when it is opened",
          "trust: true"}},
        {"script.pt", ", trust: true", {"ports: [\"x: f32[B,3]\""}},
        {"script.pt",
         ", trust: true, ports: [\"x: f32[B,4]\", \"-> y: f32[B,3]\"]",
         {"takes (x, mask), which are 2 inputs and not 1"}},
        {"affine.pt2", ", ports: [\"x: f32[B,4]\"]", {"says its own"}},
        {"no_grad.pt2",
         "",
         {"no operator higher_order.wrap_with_set_grad_enabled",
          "save program.run_decompositions({})"}},
        {"native.pt2",
         "",
         {"it is native code of AOTInductor, and such a file runs code as you",
          "trust: true"}},
        {"native.pt2", ", trust: true", {"does not say its inputs"}},
        {"native.pt2",
         ", trust: true, ports: [\"x: f32[B,4]\", \"-> y: f32[B,3]\"]",
         {"its code is for AVX9000, which this machine has not"}},
        {"native_beside.pt2", ", trust: true", {"its code is for AVX9000"}},
    }));

TEST(Graph, ThatReachesFilesIsRunWhereItIsTrusted) {
  const ModelHead head = read_model_head(model("bad_file_op.pt2"));
  EXPECT_NO_THROW(pt2::check_operators(head, /*is_trusted=*/true));
  EXPECT_THROW(pt2::check_operators(head, /*is_trusted=*/false), Error);
}

TEST(Graph, OfAFileThatIsRefusedNeverRan) {
  EXPECT_FALSE(std::filesystem::exists("penstock_graph_wrote"));
}

TEST(Given, OfAnotherDtypeDimOrRankIsRefused) {
  const auto tell = [](const at::Tensor& x) {
    return failure(model("affine.pt2"), "", {item({{"x", x}})});
  };
  EXPECT_THAT(tell(at::ones({4}, at::kDouble)),
              HasSubstr("port 'x': it is f64, expected f32"));
  EXPECT_THAT(tell(at::ones({5})), HasSubstr("dim 1 is 5, expected 4"));
  EXPECT_THAT(tell(at::ones({2, 4})), HasSubstr("port 'x'"));
}

TEST(Given, WhatTheModelCannotComputeNamesTheNode) {
  const auto ids = at::full({5}, 1000, at::kLong);  // it knows 50
  EXPECT_THAT(
      failure(model("encoder.pt2"), "",
              {item({{"input_ids", ids}, {"attention_mask", ids}})}),
      HasSubstr("encoder.pt2: libtorch cannot run it: index out of range in "
                "self (node 'embedding', aten.embedding.default)\n"));
}

/// What the Binder throws for these tensors.
std::string torch_refusal(const Tensors& given) {
  ModelHead head = read_model_head(model("encoder.pt2"));
  for (auto& [dim, range] : head.ranges) range = {.least = 3, .most = 8};
  const ModelPorts ports = model_ports(head);
  const std::string file = "encoder.pt2";
  const exported::Binder binder(file, ports, head.ranges);
  try {
    (void)binder.bind(
        [&](const ModelInput& input) { return get(given, input.port.name); },
        {});
  } catch (const Error& error) {
    return error.text();
  }
  return "";
}

TEST(Given, OutOfTheRangesOfTheExportIsRefused) {
  const auto tell = [](std::int64_t time) {
    const auto ids = at::ones({4, time}, at::kLong);
    return torch_refusal({{"input_ids", ids}, {"attention_mask", ids}});
  };
  EXPECT_EQ(tell(8), "");
  EXPECT_THAT(tell(9), HasSubstr("'input_ids' is i64[4,9], and encoder.pt2 was "
                                 "exported for"));
  EXPECT_THAT(tell(9), HasSubstr("from 3 to 8"));
  EXPECT_THAT(tell(2), HasSubstr("from 3 to 8"));
}

TEST(Scripts, ThatPrintLeaveStdoutAlone) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const Made made =
      run_model(model("prints.pt"),
                ", trust: true, ports: [\"x: f32[B,4]\", \"-> y: f32[B,4]\"]",
                {item({{"x", at::ones({4})}})});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "a word of the model\n");
  EXPECT_TRUE(rows_of(made, "y").equal(at::ones({1, 4}) * 2));
}

TEST(Scripts, ThatWriteIntoTheirInputWriteIntoACopy) {
  const auto path =
      std::filesystem::path(::testing::TempDir()) / "writes_its_input.pt";
  ::torch::jit::Module writes("writes");
  writes.define("def forward(self, x):\n  return x.mul_(2)\n");
  writes.save(path.string());
  const at::Tensor x = at::ones({4});
  const Made made = run_stages(
      "batch: {use: core.stack, max_sequences: 1}\n"
      "forward: {use: torch.forward, trust: true, "
      "ports: [\"x: f32[B,4]\", \"-> y: f32[B,4]\"]}",
      {.model = path.string(), .items = {item({{"x", x}})}});
  EXPECT_TRUE(rows_of(made, "y").equal(at::ones({1, 4}) * 2));
  EXPECT_TRUE(x.equal(at::ones({4})));
}

TEST(Forward, SaysNothingOfItsOwn) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  // libtorch writes this one's constants to stdout.
  (void)run_model(model("several.pt2"), ", set: [scale=1]",
                  {item({{"x", at::ones({4})}})});
  std::cout << "ours" << std::flush;
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "ours");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Trust, IsNotForRequests) {
  LinkedCatalog catalog;
  const auto* trust = catalog.find("torch.forward").params.find("trust");
  ASSERT_NE(trust, nullptr);
  EXPECT_FALSE(trust->is_per_request);
}

}  // namespace
}  // namespace penstock::testing

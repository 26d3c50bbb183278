// Heads of PyTorch's files: what tests/golden/make_torch.py put in them, and
// that neither the archive nor the program in it is trusted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/heads/support.h"

namespace penstock::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Pair;
using ::testing::StartsWith;

std::vector<std::string> texts_of(const std::vector<Port>& ports) {
  std::vector<std::string> out;
  out.reserve(ports.size());
  for (const Port& port : ports) out.push_back(to_string(port));
  return out;
}

TEST(TorchHead, OfAnExportHasNamesDtypesDimsAndRanges) {
  const ModelHead head = read_model_head(fixture("cnn.pt2"));
  EXPECT_EQ(head.format, "torch.export");
  EXPECT_THAT(head.version, StartsWith("schema 8."));
  EXPECT_THAT(head.made_by, StartsWith("pytorch 2.11.0"));
  ASSERT_EQ(head.inputs.size(), 1);
  EXPECT_EQ(head.inputs[0].name, "pixels");
  const std::string rows = head.inputs[0].dims.at(0);
  EXPECT_EQ(to_string(head.inputs[0]), "pixels f32[" + rows + ",3,16,16]");
  EXPECT_EQ(head.ranges.at(rows).least, 1);
  EXPECT_EQ(head.ranges.at(rows).most, 64);
  EXPECT_THAT(head.operators, Contains(Pair("aten.conv2d.default", "conv2d")));
}

TEST(TorchHead, MeansPortsWithARowDimAndNamesOfTheDict) {
  const Ports ports =
      model_ports(read_model_head(fixture("encoder.pt2"))).ports();
  ASSERT_EQ(ports.inputs.size(), 2);
  const std::string time = ports.inputs[0].dims.at(1);
  EXPECT_THAT(texts_of(ports.inputs),
              ElementsAre("input_ids: i64[B," + time + "]",
                          "attention_mask: i64[B," + time + "]"));
  EXPECT_THAT(
      texts_of(ports.outputs),
      ElementsAre("hidden: f32[B," + time + ",16]", "pooled: f32[B,16]"));
}

TEST(TorchHead, LeavesOutAnOutputWhoseRowsAreOthers) {
  // As many as there are numbers other than 0: a dim of its own.
  const Ports ports =
      model_ports(read_model_head(fixture("found.pt2"))).ports();
  EXPECT_THAT(texts_of(ports.outputs), ElementsAre("twice: f32[B,4]"));
}

TEST(TorchHead, OfFixedDimsRunsARowAtATime) {
  const ModelPorts ports = model_ports(read_model_head(fixture("fixed.pt2")));
  EXPECT_EQ(ports.rows, ModelRows::kOne);
  EXPECT_THAT(texts_of(ports.ports().inputs), ElementsAre("x: f32[B,4]"));
}

TEST(TorchHead, GivesAnOutputThatIsThereTwiceTwoNames) {
  const ModelHead head = read_model_head(fixture("several.pt2"));
  std::vector<std::string> names;
  names.reserve(head.outputs.size());
  for (const ModelTensor& output : head.outputs) names.push_back(output.name);
  EXPECT_THAT(names, ElementsAre("mul", "add", "mul_1"));
}

TEST(TorchHead, LooksIntoGraphsInsideOfTheGraph) {
  const ModelHead head = read_model_head(fixture("branches.pt2"));
  EXPECT_THAT(head.operators, Contains(Key("higher_order.cond")));
  EXPECT_THAT(head.operators, Contains(Key("aten.cosh.default")));
}

TEST(TorchHead, OfTorchScriptHasNoPorts) {
  const ModelHead head = read_model_head(fixture("script.pt"));
  EXPECT_EQ(head.format, "torchscript");
  EXPECT_THAT(refusal([&] { return model_ports(head); }),
              HasSubstr("(torchscript) does not say its inputs and outputs"));
}

struct BadArchive {
  std::string file, words;
};
void PrintTo(const BadArchive& c, std::ostream* os) { *os << c.file; }

class BadTorch : public ::testing::TestWithParam<BadArchive> {};

TEST_P(BadTorch, IsRefusedByItsHead) {
  const BadArchive& c = GetParam();
  const std::string text =
      refusal([&] { return read_model_head(fixture(c.file)); });
  EXPECT_THAT(text, HasSubstr(c.file));
  EXPECT_THAT(text, HasSubstr(c.words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadTorch,
    ::testing::ValuesIn<BadArchive>({
        {"state_dict.pt",
         "made by torch.save, which holds weights but no "
         "program; load the model in Python and write it with "
         "torch.export.save"},
        {"bad_text.pt2", "a pickle of an old PyTorch"},
        {"bad_foreign.pt2", "none that PyTorch makes for a model"},
        {"bad_cut_off.pt2", "it has no directory of a zip archive"},
        {"bad_slip.pt2", "would lie outside of the archive's own folder"},
        {"bad_twice.pt2", "two members are called 'affine/MODELS/model.json'"},
        {"bad_packed.pt2", "'models/model.json' is compressed"},
        {"bad_schema.pt2", "it is written in schema 9."},
        {"bad_short_weight.pt2",
         "its weight 'linear.weight' takes 48 bytes, "
         "but data/weights/weight_0 has 8"},
        {"bad_no_weight.pt2", "it has no 'data/weights/weight_0'"},
        {"bad_shape.pt2", "p_linear_weight takes more than 2^31 numbers"},
        {"bad_buffer.pt2",
         "add_ writes into its own 'b_seen', as models do "
         "in training; call model.eval()"},
    }));

TEST(TorchHead, OfAnEmptyNameIsToldFromAZip) {
  const ModelFile file("not a zip at all", "model.pt2");
  EXPECT_THAT(refusal([&] { return read_model_head(file.path()); }),
              HasSubstr("it is no file of PyTorch"));
}

}  // namespace
}  // namespace penstock::testing

// Heads of model files: what tests/golden/make_models.py put in them, and that
// no byte of a damaged one is trusted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/framework/heads/support.h"

namespace penstock::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Pair;

std::vector<std::string> texts(const std::vector<ModelTensor>& tensors) {
  std::vector<std::string> out;
  for (const ModelTensor& tensor : tensors) out.push_back(to_string(tensor));
  return out;
}

TEST(ModelHead, OfOnnxHasNamesDtypesDimsAndMetadata) {
  const ModelHead head = read_model_head(fixture("affine.onnx"));
  EXPECT_EQ(head.format, "onnx");
  EXPECT_EQ(head.version, "opset 17");
  EXPECT_EQ(head.made_by, "make_models 1");
  EXPECT_THAT(texts(head.inputs), ElementsAre("x f32[batch,4]"));
  EXPECT_THAT(texts(head.outputs), ElementsAre("y f32[batch,3]"));
  EXPECT_THAT(head.metadata, ElementsAre(Pair("labels", "cat, dog, bird"),
                                         Pair("author", "nobody")));
  EXPECT_THAT(labels_of(head), ElementsAre("cat", "dog", "bird"));
  EXPECT_THAT(head.operators, Contains(Key("MatMul")));
}

TEST(ModelHead, OfOpenvinoSaysTheSame) {
  const ModelHead head = read_model_head(fixture("affine_ir.xml"));
  EXPECT_EQ(head.format, "openvino");
  EXPECT_EQ(head.version, "IR 11");
  EXPECT_THAT(texts(head.inputs), ElementsAre("x f32[?,4]"));
  EXPECT_THAT(texts(head.outputs), ElementsAre("y f32[?,3]"));
  EXPECT_THAT(labels_of(head), ElementsAre("cat", "dog", "bird"));
  EXPECT_THAT(head.weight_files, ElementsAre(fixture("affine_ir.bin")));
}

TEST(ModelHead, OfTfliteHasTheSignatureOfItsShapes) {
  const ModelHead head = read_model_head(fixture("plus_one.tflite"));
  EXPECT_EQ(head.format, "tflite");
  EXPECT_EQ(head.version, "schema 3");
  EXPECT_THAT(texts(head.inputs), ElementsAre("x f32[?,4]"));
  EXPECT_THAT(texts(head.outputs), ElementsAre("y f32[?,4]"));
}

TEST(ModelHead, KnowsOperatorsOfOthersByTheirNode) {
  const ModelHead head = read_model_head(fixture("bad_custom_op.onnx"));
  EXPECT_THAT(head.operators, ElementsAre(Pair("my.company.MyOp", "foo")));
}

TEST(ModelHead, LeavesOutWeightsAndKeepsUnknownRanks) {
  EXPECT_EQ(read_model_head(fixture("encoder.onnx")).inputs.size(), 3);
  const ModelHead head = read_model_head(fixture("no_rank.onnx"));
  EXPECT_THAT(texts(head.inputs), ElementsAre("x f32[...]"));
}

TEST(ModelHead, CountsWeightsBesideIt) {
  const ModelHead head = read_model_head(fixture("beside.onnx"));
  EXPECT_THAT(head.weight_files, ElementsAre(fixture("beside.bin")));
  const auto own = std::filesystem::file_size(fixture("beside.onnx"));
  EXPECT_EQ(head.bytes, static_cast<std::int64_t>(own) + 64);
}

struct Bad {
  std::string file, words;
};
void PrintTo(const Bad& c, std::ostream* os) { *os << c.file; }

class BadModels : public ::testing::TestWithParam<Bad> {};

TEST_P(BadModels, AreRefusedByTheirHead) {
  const Bad& c = GetParam();
  EXPECT_THAT(refusal([&] { return read_model_head(fixture(c.file)); }),
              HasSubstr(c.words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadModels,
    ::testing::ValuesIn<Bad>({
        {"bad_escape.onnx", "it wants weights from '../../../../etc/passwd'"},
        {"bad_absolute.onnx", "may only read files beside it"},
        {"bad_missing.onnx", "'nowhere.bin', which is not beside it"},
        {"bad_cut_off.onnx", "wants its bytes up to 65, it has 64"},
        {"bad_version.xml", "it is IR 99; OpenVINO reads IR 10 and 11"},
        {"bad_bin.xml", "bad_bin.bin is cut off"},
        {"bad_expand.onnx",
         "node 'huge' (Expand) makes a tensor of [1048576,1048576,1]"},
        {"bad_fill.onnx", "node 'fill' (ConstantOfShape) makes a tensor of"},
        {"bad_short_weight.onnx",
         "tensor 'w' is f32[1048576,2] and takes 8388608 bytes, but 16 are "
         "there"},
        {"bad_nested.onnx", "more than 16 graphs"},
    }));

struct Foreign {
  std::string name, bytes, words;
};
void PrintTo(const Foreign& c, std::ostream* os) { *os << c.name; }

class ForeignFiles : public ::testing::TestWithParam<Foreign> {};

TEST_P(ForeignFiles, AreCalledWhatTheyAre) {
  const Foreign& c = GetParam();
  const ModelFile file(c.bytes, c.name + ".onnx");
  EXPECT_THAT(refusal([&] { return read_model_head(file.path()); }),
              HasSubstr(c.words));
}

// A message of a graph (field 7) that says it has 2^63 bytes.
const std::string kHuge = "\x3A\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";

INSTANTIATE_TEST_SUITE_P(
    Table, ForeignFiles,
    ::testing::ValuesIn<Foreign>({
        {"Empty", "", "the file is empty"},
        {"Zip", std::string("PK\x03\x04") + "....", "no directory of a zip"},
        {"Gguf", "GGUF....", "gemma.forward"},
        {"Lfs", "version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
        {"Html", "<html><body>404</body></html>", "no model of OpenVINO"},
        {"Text", "not a model at all", "damaged"},
        {"HugeLength", kHuge, "takes 9223372036854775808 bytes"},
        {"NoGraph", std::string("\x08\x08", 2), "no ONNX model"},
        {"DocumentType", "<!DOCTYPE x [<!ENTITY a 'b'>]><net/>",
         "it has a document type"},
        {"Unclosed", R"(<net version="11"><layers>)", "<layers> is not closed"},
        {"NoTables", std::string("\x08\0\0\0TFL3\xff\xff\xff\x7f", 12),
         "at byte 0"},
    }));

/// Cut anywhere, and with bytes flipped: an error of ours, or a head; never a
/// crash. Meant for the sanitizers as well.
class Damaged : public ::testing::TestWithParam<std::string> {};

TEST_P(Damaged, IsRefusedOrReadSafely) {
  const std::string name = GetParam();
  const std::string good = bytes_of(fixture(name));
  ASSERT_FALSE(good.empty());
  std::size_t refused = 0;
  for (std::size_t size = 0; size < good.size(); size += 1 + size / 200) {
    const ModelFile file(good.substr(0, size), "cut_" + name);
    refused +=
        refusal([&] { return read_model_head(file.path()); }).empty() ? 0U : 1U;
  }
  EXPECT_GT(refused, 10U);
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    std::string bytes = good;
    for (int k = 0; k < 3; ++k) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const ModelFile file(bytes, "flipped_" + name);
    (void)refusal([&] { return model_ports(read_model_head(file.path())); });
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Damaged,
                         ::testing::Values("encoder.onnx", "slow.onnx",
                                           "affine_ir.xml", "plus_one.tflite",
                                           "affine.pt2", "gru.pt2"));

}  // namespace
}  // namespace penstock::testing

// What a model file means for a pipeline: its ports, and params that change
// them.
#include "penstock/model_ports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/heads/support.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

std::string text(const Ports& ports) {
  std::string out;
  for (const Port& port : ports.inputs) out += to_string(port) + "; ";
  out += "->";
  for (const Port& port : ports.outputs) out += " " + to_string(port) + ";";
  return out;
}

std::string ports_of(const std::string& file, const ModelOptions& options) {
  return text(model_ports(read_model_head(fixture(file)), options).ports());
}

struct Case {
  std::string name, file;
  ModelOptions options;
  std::string want;
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

class ModelPortsOf : public ::testing::TestWithParam<Case> {};

TEST_P(ModelPortsOf, AreThoseOfTheFile) {
  const Case& c = GetParam();
  EXPECT_EQ(ports_of(c.file, c.options), c.want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ModelPortsOf,
    ::testing::ValuesIn<Case>({
        {"DynamicDimZeroIsTheBatch",
         "affine.onnx",
         {},
         "x: f32[B,4]; -> y: f32[B,3];"},
        {"OtherDimsKeepTheirNames",
         "encoder.onnx",
         {},
         "ids: i64[B,time]; mask: i64[B,time]; types: i64[B,time]; -> hidden: "
         "f32[B,time,4];"},
        {"UnnamedDimsGetNumbers",
         "odd_names.onnx",
         {},
         "serving_default_input_0: f32[B,N1,4]; -> StatefulPartitionedCall_0: "
         "f32[B,N2,4];"},
        {"QuestionMarksAreNoNames",
         "question.onnx",
         {},
         "x: f32[B,N1,N2]; -> y: f32[B,N3,N4];"},
        {"NamesAreMapped",
         "odd_names.onnx",
         {.names = {"serving_default_input:0=x",
                    "StatefulPartitionedCall:0=y"}},
         "x: f32[B,N1,4]; -> y: f32[B,N2,4];"},
        {"DimZeroOfOneIsDropped",
         "one_row.onnx",
         {},
         "x: f32[B,3,4]; -> y: f32[B,3];"},
        {"DimsWithoutABatchStay",
         "no_rows.onnx",
         {},
         "x: f32[B,3,2]; -> y: f32[B,3,2];"},
        {"RowsCanBeTold",
         "affine.onnx",
         {.rows = "none"},
         "x: f32[B,batch,4]; -> y: f32[B,batch,3];"},
        {"OneRowOfADynamicBatch",
         "affine.onnx",
         {.rows = "one"},
         "x: f32[B,4]; -> y: f32[B,3];"},
        {"UnknownRankStaysOpen",
         "no_rank.onnx",
         {},
         "x: f32[B,...]; -> y: f32[B,...];"},
        {"ConstantsAreNotGiven",
         "encoder.onnx",
         {.set = {"types=0"}},
         "ids: i64[B,time]; mask: i64[B,time]; -> hidden: f32[B,time,4];"},
        {"ConstantsHaveNoPartInTheBatch",
         "scales.onnx",
         {.set = {"scales=0.5 1 2"}},
         "x: f32[B,3]; -> y: f32[B,3];"},
        {"StatesAreNeitherGivenNorTaken",
         "rnn.onnx",
         {.set = {"sr=2"}, .state = {"hN=h"}},
         "x: f32[B,2]; -> y: f32[B,1];"},
        {"StepsStandBehindTheBatch",
         "rnn.onnx",
         {.set = {"sr=2"}, .state = {"hN=h"}, .scan = {"x"}},
         "x: f32[B,S,2]; -> y: f32[B,S,1];"},
        {"ResultsOfUnknownLength",
         "nonzero.onnx",
         {},
         "x: f32[B,4]; -> y: i64[B,found,2];"},
        {"ChannelsComeFirst",
         "pixels.onnx",
         {.channels_last = {"x"}},
         "x: f32[B,3,height,width]; -> y: f32[B,3];"},
        {"TfliteAndItsKind",
         "plus_one.tflite",
         {.names = {"x=given"}},
         "given: f32[B,4]; -> y: f32[B,4];"},
    }),
    [](const auto& test) { return test.param.name; });

struct Fault {
  std::string name, file;
  ModelOptions options;
  std::string words;
};
void PrintTo(const Fault& c, std::ostream* os) { *os << c.name; }

class ModelPortsOfBad : public ::testing::TestWithParam<Fault> {};

TEST_P(ModelPortsOfBad, SayWhatIsThere) {
  const Fault& c = GetParam();
  EXPECT_THAT(refusal([&] { return ports_of(c.file, c.options); }),
              HasSubstr(c.words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ModelPortsOfBad,
    ::testing::ValuesIn<Fault>({
        {"UnknownName",
         "affine.onnx",
         {.names = {"xx=pixels"}},
         "names: the model has no 'xx'; it has: x, y"},
        {"NoPair",
         "affine.onnx",
         {.names = {"pixels"}},
         "names: 'pixels' is not written NAME=NAME"},
        {"NoName",
         "affine.onnx",
         {.names = {"x=a b"}},
         "names: 'a b' is no name"},
        {"UnknownConstant",
         "affine.onnx",
         {.set = {"z=1"}},
         "set: the model has no input 'z'"},
        {"NoNumbers",
         "encoder.onnx",
         {.set = {"types=zero"}},
         "set: 'zero' are no numbers"},
        {"NoWholeNumber",
         "encoder.onnx",
         {.set = {"types=0.5"}},
         "takes whole numbers, not 0.5"},
        {"TooFewNumbers",
         "scales.onnx",
         {.set = {"scales=1 2"}},
         "set: scales f32[3] takes 3 numbers, or one for all of them; not 2"},
        {"UnknownState",
         "rnn.onnx",
         {.state = {"hM=h"}},
         "state: the model has no output 'hM'; it has: y, hN"},
        {"StateOfAnotherShape",
         "rnn.onnx",
         {.state = {"y=h"}},
         "state: output y f32[1,1] cannot be input h f32[1,3]"},
        {"ChannelsOfNoPicture",
         "affine.onnx",
         {.channels_last = {"x"}},
         "channels_last: x f32[batch,4] is no input of pictures"},
        {"ScanOfAConstant",
         "rnn.onnx",
         {.set = {"sr=1"}, .scan = {"sr"}},
         "scan: 'sr' is given by set"},
        {"FixedBatch",
         "one_row.onnx",
         {.rows = "batch"},
         "rows: batch needs a dynamic dim 0, but the model's input is x "
         "f32[1,3,4]; set rows: one"},
        {"Texts", "bad_text.onnx", {}, "is no tensor of numbers"},
        {"TwoOfAName",
         "encoder.onnx",
         {.names = {"mask=ids"}},
         "two inputs of the model are called 'ids'"},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::testing

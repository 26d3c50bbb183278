// pipeline-new: what it makes and what it refuses. That what it makes builds
// and runs is checked by tools/checks/new_plugin.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/cli/support.h"
#include "tests/framework/plugin/temp_folder.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class New : public ::testing::Test {
 protected:
  /// Runs pipeline-new in an empty folder.
  [[nodiscard]] Ran make(const std::string& arguments) const {
    return shell("cd " + folder_.path().string() +
                 " && " PENSTOCK_BIN "/pipeline-new " + arguments);
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in(folder_.path() / name);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return fs::exists(folder_.path() / name);
  }
  TempFolder folder_;
};

TEST_F(New, MakesAFileOfEachStageAndNoOther) {
  const Ran ran =
      make("plugin tidy --stage preprocess:clean_up --stage decode:choose");
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* file :
       {"tidy/src/clean_up.cpp", "tidy/src/clean_up.h",
        "tidy/tests/clean_up_test.cpp", "tidy/src/choose.cpp", "tidy/README.md",
        "tidy/CMakeLists.txt", "tidy/tidy.yaml", "tidy/.gitignore",
        "tidy/.clang-format", "tidy/CMakeUserPresets.json"}) {
    EXPECT_TRUE(has(file)) << file;
  }
  EXPECT_FALSE(has("tidy/src/my_batch.cpp"));
  const std::string plugin = read("tidy/src/plugin.cpp");
  EXPECT_THAT(plugin,
              HasSubstr("registry.add<tidy::CleanUpStage>(\"clean_up\");"));
  EXPECT_THAT(plugin, Not(HasSubstr("my_")));
  EXPECT_THAT(read("tidy/CMakeLists.txt"), HasSubstr("option(TIDY_TESTS"));
}

TEST_F(New, FillsThePipelineWithStagesThatAreThere) {
  ASSERT_EQ(make("plugin a --stage forward:one --stage forward:two").code, 0);
  const std::string file = read("a/a.yaml");
  EXPECT_THAT(file, HasSubstr("\nforward: {use: a.one}\n"
                              "# forward: {use: a.two}\n"));
  EXPECT_THAT(file, HasSubstr("\nbatch: {use: core.continuous}\n"));
  EXPECT_THAT(file, HasSubstr("preprocess:\n  - {use: echo.bytes}\n"));
}

TEST_F(New, LeavesWhatIsThereAlone) {
  fs::create_directory(folder_.path() / "tidy");
  const Ran ran = make("plugin tidy --stage batch:b");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("'tidy' is there already; name another with "
                                 "--folder"));
  EXPECT_FALSE(has("tidy/CMakeLists.txt"));
  EXPECT_EQ(make("plugin tidy --stage batch:b --folder other").code, 0);
  EXPECT_TRUE(has("other/CMakeLists.txt"));
}

TEST_F(New, WritesACheckedPipelineAndSaysWhatElseFits) {
  const Ran ran = make("pipeline demo --use echo.forward");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("demo.yaml: written and checked"));
  EXPECT_THAT(ran.out, HasSubstr("core.continuous   or core.pad"));
  const Ran again = make("pipeline demo --use echo.forward");
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("is there already"));
  const Ran run = shell("$RUN " + folder_.path().string() + "/demo.yaml");
  EXPECT_EQ(run.out, "Hello\n") << run.err;
}

// core.identity and core.outputs fit anything, and are meant by nobody who does
// not name them.
TEST_F(New, PrefersStagesThatSayWhatTheyTake) {
  EXPECT_EQ(make("pipeline demo --use core.map").code, 0);
  const Ran run = shell("$RUN " + folder_.path().string() + "/demo.yaml");
  EXPECT_EQ(run.out, "Hello\n") << run.err;
  const Ran named = make("pipeline raw --use core.identity");
  EXPECT_THAT(named.out, HasSubstr("core.outputs")) << named.err;
}

TEST_F(New, SaysWhyNothingFits) {
  const Ran ran = make("pipeline x --use echo.forward --use core.top");
  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err,
              HasSubstr("echo.forward: no other stages have the ports"));
  EXPECT_FALSE(has("x.yaml"));
}

struct Refused {
  std::string name, arguments, wanted;
};
void PrintTo(const Refused& refused, std::ostream* out) {
  *out << refused.name;
}

class Refuses : public New, public ::testing::WithParamInterface<Refused> {};

TEST_P(Refuses, InOneClearLine) {
  const Ran ran = make(GetParam().arguments);
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr(GetParam().wanted));
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

INSTANTIATE_TEST_SUITE_P(
    New, Refuses,
    ::testing::Values(
        Refused{"BadName", "plugin 2tidy --stage batch:b",
                "'2tidy' cannot name a plugin; a name is 1 to 64"},
        Refused{"Path", "plugin ../x --stage batch:b", "cannot name a plugin"},
        Refused{"Keyword", "plugin int --stage batch:b",
                "the name becomes a namespace"},
        Refused{"Taken", "plugin core --stage batch:b",
                "there is a plugin 'core' already"},
        Refused{"UnknownKind", "plugin a --stage preproces:b",
                "did you mean 'preprocess'?"},
        Refused{"NoKind", "plugin a --stage b", "write KIND:NAME"},
        Refused{"BadStage", "plugin a --stage batch:B", "cannot name a stage"},
        Refused{"PluginFile", "plugin a --stage batch:plugin",
                "its file would be plugin.cpp"},
        Refused{"Twice", "plugin a --stage batch:b --stage decode:b",
                "two stages are named 'b'"},
        Refused{"NoStage", "plugin a", "name a stage at least"},
        Refused{"NoUse", "pipeline a", "say what it is for"},
        Refused{"TwoForwards",
                "pipeline a --use echo.forward --use gemma.forward",
                "one forward stage, not both"},
        Refused{"UnknownFlag", "plugin a --stgae x", "see pipeline-new"}),
    [](const auto& refused) { return refused.param.name; });

/// Whether the plugin that runs exported models was built.
bool has_plugin(const std::string& name) {
  return fs::exists(PENSTOCK_BIN "/../lib/penstock/plugins/libpenstock_" +
                    name + ".so");
}
bool has_openvino() { return has_plugin("openvino"); }

TEST_F(New, WritesAFileForAModelThatRunsAtOnce) {
  if (!has_openvino()) GTEST_SKIP() << "built without OpenVINO";
  const Ran ran =
      make("model " PENSTOCK_SOURCE_DIR "/tests/fixtures/models/affine.onnx");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("affine.yaml: written and checked\n"
                                 "  input  x: f32[B,4]\n"));
  EXPECT_THAT(ran.out, HasSubstr("  gives    classes\n"));
  const Ran run = shell("$RUN " + folder_.path().string() + "/affine.yaml");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("cat"));
}

TEST_F(New, FeedsModelsByWhatTheirInputsAre) {
  if (!has_openvino()) GTEST_SKIP() << "built without OpenVINO";
  const std::string models = PENSTOCK_SOURCE_DIR "/tests/fixtures/models/";
  ASSERT_EQ(make("model " + models + "encoder.onnx vectors").code, 0);
  const std::string file = read("vectors.yaml");
  EXPECT_THAT(file, HasSubstr("{use: text.wordpiece,"));
  EXPECT_THAT(file, HasSubstr("names: [\"ids=input_ids\", "
                              "\"mask=attention_mask\", "
                              "\"types=token_type_ids\"]"));
  EXPECT_THAT(file, HasSubstr("decode: {use: core.vector, pool: mean}"));
  const Ran odd = make("model " + models + "odd_names.onnx");
  ASSERT_EQ(odd.code, 0) << odd.err;
  EXPECT_THAT(read("odd_names.yaml"),
              HasSubstr("tensors: [\"serving_default_input_0: f32[N1,4]\"]"));
}

TEST_F(New, TurnsPicturesForAModelWithTheChannelsLast) {
  if (!has_openvino()) GTEST_SKIP() << "built without OpenVINO";
  const std::string models = PENSTOCK_SOURCE_DIR "/tests/fixtures/models/";
  ASSERT_EQ(make("model " + models + "pixels.onnx").code, 0);
  EXPECT_THAT(read("pixels.yaml"), HasSubstr("channels_last: [\"x\"]"));
  const Ran run =
      shell("$RUN " + folder_.path().string() + "/pixels.yaml " +
            PENSTOCK_SOURCE_DIR "/tests/fixtures/pictures/flag.png");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("class "));
}

TEST_F(New, MapsNamesAsTheFileHasThem) {
  if (!has_openvino()) GTEST_SKIP() << "built without OpenVINO";
  std::ifstream in(PENSTOCK_SOURCE_DIR "/tests/fixtures/models/pixels.onnx",
                   std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  std::string model = bytes.str();
  // Its input is called ":", which no port can be; TFLite's are like that.
  const std::string x = "\x0a\x01x";
  for (auto at = model.find(x); at != model.npos; at = model.find(x, at)) {
    model[at + 2] = ':';
  }
  std::ofstream(folder_.path() / "odd.onnx", std::ios::binary) << model;
  const Ran ran = make("model odd.onnx");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(read("odd.yaml"), HasSubstr("names: [\":=pixels\""));
}

TEST_F(New, WritesAFileForAModelOfPytorchThatRuns) {
  if (!has_plugin("torch")) GTEST_SKIP() << "built with an old libtorch";
  const std::string models = PENSTOCK_SOURCE_DIR "/tests/fixtures/models/";
  const Ran ran = make("model " + models + "cnn.pt2");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(read("cnn.yaml"), HasSubstr("{use: torch.forward, names: ["));
  const Ran run =
      shell("$RUN " + folder_.path().string() + "/cnn.yaml " +
            PENSTOCK_SOURCE_DIR "/tests/fixtures/pictures/flag.png");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("class "));
  const Ran weights = make("model " + models + "state_dict.pt");
  EXPECT_EQ(weights.code, 65);
  EXPECT_THAT(weights.err, HasSubstr("made by torch.save, which holds weights "
                                     "but no program"));
}

TEST_F(New, SaysWhyAModelGetsNoFile) {
  if (!has_openvino()) GTEST_SKIP() << "built without OpenVINO";
  const std::string models = PENSTOCK_SOURCE_DIR "/tests/fixtures/models/";
  EXPECT_EQ(make("model nowhere.onnx").code, 66);
  const Ran damaged = make("model " + models + "bad_short_weight.onnx");
  EXPECT_EQ(damaged.code, 65);
  EXPECT_THAT(damaged.err, HasSubstr("tensor 'w' is f32[1048576,2]"));
  EXPECT_FALSE(has("bad_short_weight.yaml"));
}

}  // namespace
}  // namespace penstock::cli

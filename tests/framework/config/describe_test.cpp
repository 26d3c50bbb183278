// Ports that a model says are compared like those that a stage declares.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/config/fake_catalog.h"

namespace penstock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string file_with(const std::string& model,
                      const std::string& params = "") {
  return "version: 1\nmodel: \"" + model +
         "\"\n"
         "preprocess:  {use: text.four}\n"
         "batch:       {use: rows.packed}\n"
         "forward:     {use: net.any" +
         params +
         "}\n"
         "decode:      {use: pick.y}\n"
         "postprocess: {use: text.join}\n";
}

const std::string kFits = "x: f32[B,4] -> y: f32[B,3]";

std::vector<std::string> problems_of(const std::string& text,
                                     const std::vector<Override>& over = {}) {
  const TempFile file(text);
  FakeCatalog catalog;
  try {
    (void)load_pipeline_file(file.path(), catalog, over);
  } catch (const ConfigError& error) {
    auto problems = error.problems();
    for (auto& problem : problems) {
      const auto at = problem.find(file.path().string());
      if (at == 0) problem.erase(0, file.path().string().size() + 1);
    }
    return problems;
  }
  return {};
}

TEST(Describe, GivesTheStageThePortsOfItsModel) {
  const TempFile path(file_with(kFits));
  FakeCatalog catalog;
  const PipelineFile file = load_pipeline_file(path.path(), catalog);
  ASSERT_EQ(file.forward.spec->inputs.size(), 1);
  EXPECT_EQ(to_string(file.forward.spec->inputs[0]), "x: f32[B,4]");
  EXPECT_EQ(to_string(file.forward.spec->outputs[0]), "y: f32[B,3]");
  EXPECT_THAT(catalog.find("net.any").inputs, IsEmpty());
}

TEST(Describe, AModelsInputsMayBeSetForTheNextStep) {
  std::string text = file_with(kFits);
  text.replace(text.find("pick.y"), 6, "pick.again");
  EXPECT_THAT(problems_of(text), IsEmpty());
}

TEST(Describe, PortsThatDoNotFitAreRefused) {
  EXPECT_THAT(problems_of(file_with("x: f32[B,5] -> y: f32[B,3]")),
              ElementsAre("5:20: net.any does not fit what text.four gives: "
                          "port 'x': dim 1 is 4, expected 5 (x: f32[B,5])"));
  EXPECT_THAT(problems_of(file_with("x: i64[B,4] -> y: f32[B,3]")),
              ElementsAre(HasSubstr("port 'x': it is f32, expected i64")));
  EXPECT_THAT(problems_of(file_with("x: f32[B,4,4] -> y: f32[B,3]")),
              ElementsAre(HasSubstr("it has 1 dims, expected 2")));
}

TEST(Describe, AnInputThatNothingGivesSaysHowToFillIt) {
  EXPECT_THAT(
      problems_of(file_with("kinds: i64[B,time] -> y: f32[B,3]")),
      ElementsAre("5:20: net.any: the model wants kinds: i64[B,time] and "
                  "nothing gives it (given: x); fill it with set: "
                  "[\"kinds=0\"], or say what it is here with names: "
                  "[\"kinds=x\"]"));
  EXPECT_THAT(problems_of(file_with("kinds: i64[B,time] -> y: f32[B,3]",
                                    ", set: [kinds=0]")),
              IsEmpty());
}

TEST(Describe, AnOutputOfAnotherNameSaysHowToNameIt) {
  EXPECT_THAT(problems_of(file_with("x: f32[B,4] -> fetch_0: f32[B,3]")),
              ElementsAre("6:20: pick.y wants y: f32[B,K], but the model gives "
                          "fetch_0; say which it is with forward.names: "
                          "[\"fetch_0=y\"]"));
}

TEST(Describe, UnknownRanksFitAnything) {
  EXPECT_THAT(problems_of(file_with("x: f32[B,...] -> y: f32[B,...]")),
              IsEmpty());
}

TEST(Describe, AFaultOfTheModelStandsAtItsPlace) {
  EXPECT_THAT(problems_of(file_with("broken")),
              ElementsAre("2:8: net.any: some/model.onnx: it is cut off"));
}

TEST(Describe, AFaultOfAParamStandsAtItsPlace) {
  EXPECT_THAT(problems_of(file_with(kFits, ", names: [z=x]")),
              ElementsAre("5:36: net.any: names: the model has no 'z'"));
}

TEST(Describe, AFaultOfAnOverrideNamesIt) {
  EXPECT_THAT(problems_of(file_with(kFits), {{"model", "broken", "--set"}}),
              ElementsAre(HasSubstr("--set model: net.any: some/model.onnx")));
  EXPECT_THAT(
      problems_of(file_with(kFits), {{"forward.names", "[z=x]", "--set"}}),
      ElementsAre(HasSubstr("--set forward.names: net.any: names")));
}

TEST(Describe, AModelThatIsNotHereIsForTheOpeningToTell) {
  EXPECT_THAT(problems_of(file_with("absent")), IsEmpty());
  EXPECT_THAT(problems_of(file_with("")), IsEmpty());
}

TEST(Describe, AnotherModelHasOtherPorts) {
  const TempFile path(file_with(kFits));
  FakeCatalog catalog;
  PipelineFile file = load_pipeline_file(path.path(), catalog);
  override_params(file, {{"model", "x: f32[B,T] -> y: f32[B,3]", "--set"}});
  EXPECT_EQ(to_string(file.forward.spec->inputs[0]), "x: f32[B,T]");
  EXPECT_THROW(
      override_params(file, {{"model", "x: u8[B,4] -> y: f32[B,3]", "--set"}}),
      ConfigError);
}

}  // namespace
}  // namespace penstock::testing

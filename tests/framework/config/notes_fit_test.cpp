// Notes, facts and inputs of the next step are checked before any weight is
// read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/config/fake_catalog.h"

namespace penstock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A file whose preprocess, forward, decode and postprocess are these.
std::string file_of(const std::string& preprocess,
                    const std::string& forward = "net.run",
                    const std::string& decode = "pick.best",
                    const std::string& postprocess = "text.join") {
  return "version: 1\npreprocess:\n" + preprocess +
         "batch: {use: rows.packed}\nforward: {use: " + forward +
         "}\ndecode: {use: " + decode + "}\npostprocess: {use: " + postprocess +
         "}\n";
}

std::string stages(const std::vector<std::string>& uses) {
  std::string text;
  for (const std::string& use : uses) text += "  - {use: " + use + "}\n";
  return text;
}

/// The problems, without the path in front.
std::vector<std::string> problems_of(const std::string& text) {
  const TempFile file(text);
  FakeCatalog catalog;
  try {
    (void)load_pipeline_file(file.path(), catalog);
  } catch (const ConfigError& error) {
    std::vector<std::string> problems = error.problems();
    for (std::string& problem : problems) {
      problem.erase(0, file.path().string().size() + 1);
    }
    return problems;
  }
  return {};
}

TEST(NotesFit, InTheRightOrderAreAccepted) {
  for (const std::vector<std::string>& uses :
       std::vector<std::vector<std::string>>{
           {"text.split"},  // it reads the note only where it is there
           {"text.tidy", "text.split"},
           {"text.tidy", "text.tidy", "text.split"},
           {"text.words", "text.tidy"},  // nobody reads what it makes
           {"text.loud", "text.measure", "text.words"},
           {"text.words", "text.loud", "text.measure"},
       }) {
    EXPECT_THAT(problems_of(file_of(stages(uses))), ElementsAre())
        << ::testing::PrintToString(uses);
  }
  EXPECT_THAT(problems_of(file_of(stages({"text.words", "text.loud"}),
                                  "net.run", "pick.best", "text.report")),
              ElementsAre());
}

TEST(NotesFit, ReadBeforeTheyAreMadeAreRefused) {
  EXPECT_THAT(
      problems_of(file_of(stages({"text.split", "text.tidy", "text.tidy"}))),
      ElementsAre(HasSubstr("3:11: text.split reads note 'text', but")));
  EXPECT_THAT(problems_of(file_of(stages({"text.split", "text.tidy"}))),
              ElementsAre("3:11: text.split reads note 'text', but text.tidy, "
                          "which makes it, comes later; put text.tidy before "
                          "text.split"));
  EXPECT_THAT(
      problems_of(file_of(stages({"text.words", "text.measure", "text.loud"}))),
      ElementsAre("4:11: text.measure needs note 'loudness', but text.loud, "
                  "which makes it, comes later; put text.loud before "
                  "text.measure"));
}

TEST(NotesFit, ThatNobodyMakesAreNamedWithTheirMakers) {
  EXPECT_THAT(
      problems_of(file_of(stages({"text.measure", "text.words"}))),
      ElementsAre("3:11: text.measure needs note 'loudness', which no stage "
                  "before it makes; made by text.loud"));
  EXPECT_THAT(
      problems_of(file_of(stages({"text.words"}), "net.run", "pick.best",
                          "text.report")),
      ElementsAre(HasSubstr("7:20: text.report needs note 'loudness'")));
}

TEST(NotesFit, OfAnotherTypeAreRefused) {
  EXPECT_THAT(
      problems_of(file_of(stages({"text.words", "text.deaf", "text.measure"}))),
      ElementsAre("5:11: text.measure needs note 'loudness' as number; "
                  "text.deaf makes it as text"));
}

TEST(NotesFit, AreNotCheckedWhereAStageIsUnknown) {
  EXPECT_THAT(problems_of(file_of(stages({"text.wrods", "text.measure"}))),
              ElementsAre(HasSubstr("3:11: there is no stage 'text.wrods'")));
}

TEST(Facts, AreMadeByForward) {
  EXPECT_THAT(
      problems_of(file_of(stages({"text.words"}), "net.facts", "pick.end")),
      ElementsAre());
  EXPECT_THAT(
      problems_of(file_of(stages({"text.words"}), "net.run", "pick.end")),
      ElementsAre("6:15: pick.end needs fact 'ends', which no stage before it "
                  "makes; made by net.facts"));
}

TEST(NextInputs, AreTakenByForward) {
  EXPECT_THAT(
      problems_of(file_of(stages({"text.words"}), "net.facts", "pick.seek")),
      ElementsAre());
  EXPECT_THAT(
      problems_of(file_of(stages({"text.words"}), "net.run", "pick.seek")),
      ElementsAre("6:15: pick.seek sets inputs for the next step that net.run "
                  "does not take: port 'seek': missing; given: none"));
  EXPECT_THAT(
      problems_of(file_of(stages({"text.words"}), "net.facts", "pick.sight")),
      ElementsAre(HasSubstr("port 'seek': it is i64, expected f32")));
}

}  // namespace
}  // namespace penstock::testing

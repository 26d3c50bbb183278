#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/framework/plugin/run_program.h"
#include "tests/framework/plugin/temp_folder.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kGood = PENSTOCK_FIXTURE_PLUGINS "/good";
const std::string kBroken = PENSTOCK_FIXTURE_PLUGINS "/broken";

std::string broken(const std::string& name) {
  return kBroken + "/libpenstock_" + name + ".so";
}

/// With only the folder that a test names on the search path.
Ran inspect(std::vector<std::string> arguments,
            const std::vector<std::string>& environment = {}) {
  arguments.insert(arguments.begin(), PENSTOCK_PIPELINE_INSPECT);
  return run_program(arguments, environment);
}

Ran inspect_good(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--plugin-path", kGood});
  return inspect(std::move(arguments));
}

TEST(PipelineInspect, ListsStagesInEightyColumns) {
  const Ran ran = inspect_good({});

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(
      ran.out,
      HasSubstr(kGood +
                "\n"
                "toy\n"
                "  toy.split  preprocess   Splits a text into letters.\n"
                "  toy.rows   batch        Pads rows to the longest one "
                "of a step.\n"));
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(line.size() <= 80 || line.starts_with("/")) << line;
  }
}

TEST(PipelineInspect, ShowsOneStage) {
  const Ran ran = inspect_good({"toy.split"});

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "toy.split (preprocess)\n"
            "  Splits a text into letters.\n"
            "  inputs   text: text\n"
            "  outputs  tokens: tokens[T]{vocab=26}\n"
            "  makes    note pieces: text\n"
            "  uses     note text: text\n"
            "  param       type     range       default  per request\n"
            "  side        text     left|right  left     no\n"
            "      where a text that is too long is cut\n"
            "  max_length  integer  1..4096     64       yes\n"
            "      letters of a text that are kept\n");
}

TEST(PipelineInspect, ShowsEveryStageOfAPlugin) {
  const Ran ran = inspect_good({"toy"});

  EXPECT_EQ(ran.code, 0) << ran.err;
  for (const char* part :
       {"toy.split (preprocess)", "toy.rows (batch)", "toy.model (forward)",
        "toy.pick (decode)", "toy.join (postprocess)", "no params",
        "layouts  padded, packed", "devices  cpu"}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
}

TEST(PipelineInspect, ShowsWhatStagesHandOn) {
  EXPECT_THAT(inspect_good({"toy.model"}).out,
              HasSubstr("  next     seek: i64[1]\n"
                        "  makes    fact vocab_size: integer\n"
                        "           fact dtype: text\n"));
  EXPECT_THAT(inspect_good({"toy.join"}).out,
              HasSubstr("  needs    note pieces: text\n"
                        "           fact vocab_size: integer\n"
                        "  draws    by param pictures\n"));
}

TEST(PipelineInspect, PrintsWhatStagesHandOnAsJson) {
  const json model = json::parse(inspect_good({"--json", "toy.model"}).out);
  const json join = json::parse(inspect_good({"--json", "toy.join"}).out);

  const json none = json::array();
  EXPECT_EQ(model["next_inputs"], json::array({"seek: i64[1]"}));
  EXPECT_EQ(model["notes"],
            json({{"makes", none}, {"needs", none}, {"uses", none}}));
  EXPECT_EQ(model["facts"]["makes"],
            json::array({"vocab_size: integer", "dtype: text"}));
  EXPECT_EQ(join["notes"]["needs"], json::array({"pieces: text"}));
  EXPECT_EQ(join["facts"]["needs"], json::array({"vocab_size: integer"}));
  EXPECT_EQ(join["params"][0]["ability"], "draws");
}

TEST(PipelineInspect, PrintsAStageAsJson) {
  const Ran ran = inspect_good({"--json", "toy.pick"});

  const json stage = json::parse(ran.out);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(stage["name"], "toy.pick");
  EXPECT_EQ(stage["kind"], "decode");
  EXPECT_EQ(stage["inputs"], json::array({"scores: f32[R,26]"}));
  EXPECT_EQ(stage["params"][0], json({{"name", "temperature"},
                                      {"type", "number"},
                                      {"doc", "0 takes the best letter"},
                                      {"default", 0.5},
                                      {"min", 0.0},
                                      {"max", 100.0},
                                      {"per_request", true}}));
  EXPECT_EQ(stage["params"][2]["default"], json::array({1}));
}

TEST(PipelineInspect, PrintsPluginsAsJson) {
  const json list = json::parse(inspect_good({"--json"}).out);
  const json plugin = json::parse(inspect_good({"--json", "toy"}).out);

  const auto toy =
      std::find_if(list["plugins"].begin(), list["plugins"].end(),
                   [](const json& each) { return each["plugin"] == "toy"; });
  ASSERT_NE(toy, list["plugins"].end());
  EXPECT_EQ((*toy)["problem"], nullptr);
  EXPECT_EQ((*toy)["stages"], plugin["stages"]);
  EXPECT_EQ(plugin["stages"].size(), 5U);
  EXPECT_EQ(list["searched"][0], kGood);
}

TEST(PipelineInspect, ExplainsAGoodLibrary) {
  const Ran ran = inspect({kGood + "/libpenstock_toy.so"});

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out,
              StartsWith(kGood + "/libpenstock_toy.so\n  plugin toy\n"));
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("this library"), HasSubstr("toy.join"),
                    HasSubstr("not compared"), Not(HasSubstr("differs"))));
}

TEST(PipelineInspect, ExplainsAForeignLibraryWithoutRunningIt) {
  const TempFolder folder;
  const std::string mark = folder.path() / "mark";

  const Ran ran = inspect({broken("foreign")}, {"PENSTOCK_TEST_MARK=" + mark});

  EXPECT_EQ(ran.code, 70);
  EXPECT_THAT(ran.out, HasSubstr("plugin foreign"));
  EXPECT_THAT(ran.out, testing::ContainsRegex("sdk +0.0.1 +0.1.0 +differs"));
  EXPECT_THAT(ran.err, AllOf(StartsWith("pipeline-inspect: "),
                             HasSubstr("sdk=0.0.1 (here 0.1.0)"),
                             HasSubstr("build it against this SDK")));
  EXPECT_FALSE(fs::exists(mark));
}

TEST(PipelineInspect, ExplainsAForeignLibraryAsJson) {
  const Ran ran = inspect({"--json", broken("foreign")});

  const json report = json::parse(ran.out);
  EXPECT_EQ(ran.code, 70);
  EXPECT_EQ(report["facts"][0], json({{"key", "sdk"},
                                      {"library", "0.0.1"},
                                      {"host", "0.1.0"},
                                      {"compared", true},
                                      {"differs", true}}));
  EXPECT_THAT(report["problem"].get<std::string>(), HasSubstr("another SDK"));
  EXPECT_EQ(report["stages"], json::array());
}

TEST(PipelineInspect, SaysWhatAFileIsThatIsNoLibrary) {
  const TempFolder folder;
  std::ofstream(folder.path() / "run.so") << "#!/bin/sh\n";

  const Ran ran = inspect({folder.path() / "run.so"});

  EXPECT_EQ(ran.code, 70);
  EXPECT_THAT(ran.err, HasSubstr("it is a script, not a shared library"));
}

struct PipelineInspectCase {
  std::string name;
  std::string constructor;  ///< what the fixture's constructor does
  std::string want;
};
void PrintTo(const PipelineInspectCase& c, std::ostream* os) { *os << c.name; }

class BadConstructorTest : public testing::TestWithParam<PipelineInspectCase> {
};

TEST_P(BadConstructorTest, DoesNotTakeInspectAlong) {
  const PipelineInspectCase& c = GetParam();

  const Ran ran = inspect({"--patience", c.constructor == "hang" ? "1" : "60",
                           broken("constructor")},
                          {"PENSTOCK_TEST_CONSTRUCTOR=" + c.constructor});

  EXPECT_EQ(ran.code, 70);
  EXPECT_THAT(ran.out, HasSubstr("plugin constructor"));
  EXPECT_THAT(ran.err,
              AllOf(StartsWith("pipeline-inspect: plugin 'constructor' "),
                    HasSubstr(c.want)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadConstructorTest,
    testing::ValuesIn<PipelineInspectCase>({
        {"Crash", "crash", "ended the process that opened it (signal 9"},
        {"Segfault", "segfault", "ended the process that opened it ("},
        {"Exit", "exit",
         "(exit status 0); it printed: the licence server said no;"},
        {"Hang", "hang", "was still being opened after 1 s"},
        {"Spin", "spin", "was still being opened after 5 s of processor time"},
        {"Throw", "throw", "constructor of it threw: no such licence"},
        {"Null", "", "incomplete entry"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(PipelineInspect, ListsTheGoodBesideTheBroken) {
  const TempFolder folder;
  folder.add("good/toy", "toy");
  folder.add("broken/add_throws", "add_throws");

  const Ran ran = inspect({"--plugin-path", folder.path()});

  EXPECT_EQ(ran.code, 70);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("add_throws\n  cannot be used"),
                             HasSubstr("  toy.join")));
  EXPECT_THAT(ran.err, HasSubstr("no licence for 0"));
}

TEST(PipelineInspect, WarnsOfAPluginThatChangedHowThisProcessComputes) {
  const std::string path = PENSTOCK_FIXTURE_PLUGINS "/odd";

  const Ran ran = inspect({path + "/libpenstock_fast_math.so"});

  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("fast_math.only"));
  EXPECT_THAT(ran.err,
              StartsWith("pipeline-inspect: warning: plugin 'fast_math' ("));
}

TEST(PipelineInspect, SuggestsTheNameThatIsNear) {
  const Ran plugin = inspect_good({"tpy"});
  const Ran stage = inspect_good({"toy.jon"});

  EXPECT_EQ(plugin.code, 65);
  EXPECT_THAT(plugin.err, HasSubstr("did you mean 'toy'?"));
  EXPECT_EQ(stage.code, 65);
  EXPECT_THAT(stage.err, HasSubstr("did you mean 'toy.join'?"));
  EXPECT_EQ(plugin.out + stage.out, "");
}

TEST(PipelineInspect, MissesAFileAndAFolder) {
  const Ran file = inspect({"/nowhere/libpenstock_x.so"});
  const Ran folder = inspect({"--plugin-path", "/nowhere", "toy"});

  EXPECT_EQ(file.code, 66);
  EXPECT_THAT(file.err, HasSubstr("no library /nowhere/libpenstock_x.so"));
  EXPECT_EQ(folder.code, 66);
  EXPECT_THAT(folder.err, HasSubstr("there is no folder '/nowhere'"));
}

TEST(PipelineInspect, RefusesAnUnknownFlag) {
  const Ran ran = inspect({"--jsn"});

  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, AllOf(HasSubstr("--jsn"), HasSubstr("--help")));
}

TEST(PipelineInspect, HelpsAndNamesItsVersion) {
  const Ran help = inspect({"--help"});
  const Ran version = inspect({"--version"});

  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("--plugin-path"), HasSubstr("70"),
                              Not(HasSubstr("--probe"))));
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out, "pipeline-inspect 0.1.0\n");
}

TEST(PipelineInspect, IsSilentWhenNobodyReads) {
  const std::string program = PENSTOCK_PIPELINE_INSPECT;
  const std::string command = program + " --plugin-path " + kGood + " toy";

  const Ran closed = run_program({"/bin/sh", "-c", command + " >&-"});
  const Ran gone = run_program(
      {"/bin/bash", "-c", "set -o pipefail; " + command + " | true"});
  const Ran full = run_program({"/bin/sh", "-c", command + " >/dev/full"});

  EXPECT_EQ(closed.code, 0);
  EXPECT_EQ(closed.err, "");
  EXPECT_EQ(gone.code, 0);
  EXPECT_EQ(gone.err, "");
  EXPECT_EQ(full.code, 75);
  EXPECT_THAT(full.err, HasSubstr("No space left"));
}

}  // namespace
}  // namespace penstock

// pipeline-inspect on pipeline files: their JSON Schema, and a file as a graph.
// tools/checks/schema holds the schema against files.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/framework/plugin/run_program.h"
#include "tests/framework/plugin/temp_folder.h"

namespace penstock {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

Ran inspect_file(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PENSTOCK_PIPELINE_INSPECT);
  return run_program(arguments);
}

/// The rule of a stage in the schema.
json keys_of(const json& schema, const std::string& kind,
             const std::string& name) {
  for (const json& rule : schema["definitions"][kind]["allOf"]) {
    if (rule["if"]["properties"]["use"]["enum"][0] == name) {
      return rule["then"]["properties"];
    }
  }
  return {};
}

TEST(InspectSchema, HasEveryStageWithItsParams) {
  const Ran ran = inspect_file(
      {"--schema", "--plugin-path", PENSTOCK_FIXTURE_PLUGINS "/good"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json schema = json::parse(ran.out);
  EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
  const json keys = keys_of(schema, "preprocess", "toy.split");
  EXPECT_EQ(keys["side"]["anyOf"][0]["enum"], json({"left", "right"}));
  EXPECT_EQ(keys["max_length"]["anyOf"][0],
            json({{"type", "integer"}, {"minimum", 1}, {"maximum", 4096}}));
  EXPECT_EQ(keys["max_length"]["default"], 64);
  EXPECT_TRUE(keys.contains("device"));
  // A former name of a stage is still read.
  EXPECT_EQ(
      schema["definitions"]["batch"]["allOf"].size() + 1,
      schema["definitions"]["batch"]["properties"]["use"]["anyOf"].size());
}

TEST(InspectGraph, DrawsStagesAndWhatGoesBetween) {
  const Ran ran = inspect_file({"--graph", "echo"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("flowchart TD\n  in0[\"input<br/>text\"]"),
                    HasSubstr("  subgraph s0_ [\"echo\"]\n"
                              "    s0_0[\"preprocess<br/>echo.bytes\"]"),
                    HasSubstr("  s0_0 -->|\"tokens: i64[T]\"| s0_1\n"),
                    HasSubstr("  s0_3 -.->|\"tokens\"| s0_1\n"),
                    HasSubstr("  in0 --> s0_0\n")));
}

TEST(InspectGraph, DrawsStepsOfACompositionForGraphviz) {
  const TempFolder folder;
  std::ofstream(folder.path() / "two.yaml")
      << "version: 1\nsteps:\n  first: {pipeline: echo.yaml}\n"
         "  second: {pipeline: echo.yaml, in: {text: {each: first}}}\n";
  const Ran ran =
      inspect_file({"--graph", folder.path() / "two.yaml", "--dot"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(
      ran.out,
      AllOf(HasSubstr("digraph \"two\" {"), HasSubstr("label=\"second\";"),
            HasSubstr("s0_4 -> s1_0 [label=\"each: text\", style=bold];")));
}

TEST(InspectGraph, SaysWhatIsWrongWithTheFile) {
  const Ran ran = inspect_file({"--graph", "echo.yml"});
  EXPECT_EQ(ran.code, 66);
  EXPECT_THAT(ran.err, HasSubstr("did you mean 'echo.yaml'?"));
  EXPECT_EQ(inspect_file({"--graph", "echo", "--schema"}).code, 2);
  EXPECT_EQ(inspect_file({"--dot"}).code, 2);
}

}  // namespace
}  // namespace penstock

// A request's tools, and how templates say that calls are written.
#include "lib/tools/tool_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/tools/call_syntax.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::tools {
namespace {

using ::testing::HasSubstr;

std::vector<Tool> read(const std::string& text) {
  const JsonValue json = parse_json(text, "tools");
  return tools_of(JsonView(json, "tools"));
}

TEST(ToolList, HasNamesAndSchemas) {
  const auto tools = read(R"([
      {"type": "function", "function": {"name": "a_b-1", "description": "d",
       "strict": true, "parameters": {"type": "object", "properties":
           {"x": {"type": "integer"}}}}},
      {"type": "function", "function": {"name": "now"}},
      {"type": "function", "function": {"name": "then", "parameters": {}}}])");
  ASSERT_EQ(tools.size(), 3);
  EXPECT_EQ(tools[0].name, "a_b-1");
  EXPECT_EQ(tools[0].description, "d");
  EXPECT_EQ(tools[0].place, "[0].function.parameters");
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(json_text(tools[i].parameters, JsonSpaces::kSpaced),
              R"({"type": "object", "properties": {}})");
  }
  EXPECT_TRUE(read("[]").empty());
}

struct Wrong {
  std::string name, tools, wanted;
};
void PrintTo(const Wrong& c, std::ostream* os) { *os << c.name; }

class WrongTools : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongTools, AreRefusedWithTheirPlace) {
  try {
    (void)read(GetParam().tools);
    FAIL() << "were taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.text(), HasSubstr(GetParam().wanted));
  }
}

std::string function(const std::string& inside) {
  return R"([{"type": "function", "function": )" + inside + "}]";
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongTools,
    ::testing::ValuesIn<Wrong>({
        {"NoList", "{}", "expected a list"},
        {"NoType", "[{}]", "[0] has no key 'type'"},
        {"OtherType", R"([{"type": "web_search"}])",
         "[0].type is 'web_search': only tools of the type function"},
        {"NoFunction", R"([{"type": "function"}])", "'function'"},
        {"NoName", function("{}"), "[0].function has no key 'name'"},
        {"OddName", function(R"({"name": "a.b"})"),
         "[0].function.name is 'a.b', expected 1 to 64 letters"},
        {"UnknownKey", function(R"({"name": "a", "parameter": {}})"),
         "[0].function.'parameter' is not known"},
        {"NoObject", function(R"({"name": "a", "parameters":
                                  {"type": "string"}})"),
         "[0].function.parameters is no schema of an object"},
        {"Twice", R"([{"type": "function", "function": {"name": "a"}},
                      {"type": "function", "function": {"name": "a"}}])",
         "[1] is the second tool with the name a"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(CallSyntax, IsThatOfTheTemplate) {
  EXPECT_EQ(syntax_of_template("x <start_function_call>call:"),
            "functiongemma");
  EXPECT_EQ(syntax_of_template("<start_of_turn> {{ tools }} <tool_call>"),
            "tagged");
  EXPECT_EQ(syntax_of_template("<start_of_turn>user"), "fenced");
  EXPECT_EQ(syntax_of_template("{{ messages }}"), "json");
  EXPECT_THROW((void)syntax_named("other"), Error);
}

}  // namespace
}  // namespace penstock::tools

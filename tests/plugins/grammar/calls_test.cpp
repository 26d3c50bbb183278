// Answers with calls: whatever tokens are taken, each call fits its tool.
#include "grammar/calls_tag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lib/tools/call_reader.h"
#include "penstock/error.h"
#include "tests/plugins/grammar/support.h"

namespace penstock::grammar {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const char* const kTools = R"([
    {"type": "function", "function": {"name": "rain", "parameters": {
        "type": "object", "properties": {
            "city": {"enum": ["Oslo", "Rome"]},
            "days": {"type": "integer"}, "note": {"type": "string"}},
        "required": ["city"]}}},
    {"type": "function", "function": {"name": "now"}}])";

std::vector<tools::Tool> tools_from(const std::string& text) {
  const JsonValue parsed = parse_json(text, "tools");
  return tools::tools_of(JsonView(parsed, "tools"));
}

const Fixture& fixture() {
  static const Fixture all;
  return all;
}

Answer answer_of(const CallsAsked& asked, const std::string& syntax,
                 ForcedText forced = {}) {
  return fixture().answer(
      Kind::kCalls, calls_tag(asked, tools::syntax_named(syntax)), forced);
}

/// For texts that come a byte at a time.
constexpr ForcedText kAnyCut{.is_cut_by_tokenizer = false};

void expect_legal(const tools::ToolCall& call) {
  const json arguments = json::parse(call.arguments);
  if (call.name == "now") {
    EXPECT_TRUE(arguments.empty());
    return;
  }
  EXPECT_EQ(call.name, "rain");
  EXPECT_TRUE(arguments.at("city") == "Oslo" || arguments.at("city") == "Rome");
  for (const auto& [key, value] : arguments.items()) {
    EXPECT_TRUE(key == "city" || (key == "days" && value.is_number_integer()) ||
                (key == "note" && value.is_string()))
        << call.arguments;
  }
}

class RequiredCalls : public ::testing::TestWithParam<std::string> {};

TEST_P(RequiredCalls, AreLegalAndNothingElse) {
  for (const bool are_many : {false, true}) {
    Answer answer = answer_of({.tools = tools_from(kTools),
                               .is_required = true,
                               .are_many = are_many},
                              GetParam());
    int whole = 0;
    for (unsigned seed = 0; seed < 40; ++seed) {
      const auto text = fixture().walk(answer, seed, 3000);
      if (!text) continue;
      ++whole;
      tools::CallReader reader(tools::syntax_named(GetParam()));
      const auto found = reader.add(*text);
      EXPECT_EQ(found.text + reader.finish().text, "") << *text;
      EXPECT_GE(found.calls.size(), 1) << *text;
      EXPECT_TRUE(are_many || found.calls.size() == 1) << *text;
      for (const auto& call : found.calls) expect_legal(call);
    }
    EXPECT_GE(whole, 20);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RequiredCalls,
                         ::testing::ValuesIn(tools::syntax_names()),
                         [](const auto& test) { return test.param; });

/// Whether the tokens of the text may stand there, and whether the answer may
/// end behind them.
struct Taken {
  bool is_allowed = true, may_end = false;
};
Taken taken(Answer& answer, const std::string& text) {
  Tokens tokens;
  const auto may_come = [&](std::int64_t id) {
    const auto allowed = answer.look(tokens).allowed;
    return !allowed || allowed->contains(id);
  };
  for (const char byte : text) {
    const auto id = static_cast<std::int64_t>(static_cast<unsigned char>(byte));
    if (!may_come(id)) return {.is_allowed = false};
    tokens.push_back(id);
  }
  const auto allowed = answer.look(tokens).allowed;
  const bool is_over = allowed && allowed->is_empty();
  return {.may_end = is_over || may_come(kEnd)};
}

TEST(AutomaticCalls, LeaveTextFreeUntilOneOpens) {
  const CallsAsked asked{.tools = tools_from(kTools)};
  Answer answer = answer_of(asked, "fenced", kAnyCut);
  for (const std::string text :
       {"", "Hello.\tOK", "```\ncode {\"a\": 1}\n```", "```tool_code\nx"}) {
    EXPECT_TRUE(taken(answer, text).is_allowed) << text;
    EXPECT_TRUE(taken(answer, text).may_end) << text;
  }
  const std::string open = "Well.\n```tool_code\n{\"name\": \"";
  EXPECT_TRUE(taken(answer, open).is_allowed);
  EXPECT_FALSE(taken(answer, open).may_end);
  EXPECT_FALSE(taken(answer, open + "other").is_allowed);
  const std::string call = open + R"(rain", "parameters": {"city": "Oslo"})";
  EXPECT_FALSE(taken(answer, call).may_end);
  EXPECT_TRUE(taken(answer, call + "}\n``` and\tmore").may_end);
  EXPECT_FALSE(
      taken(answer, open + R"(rain", "parameters": {"days")").is_allowed);
}

TEST(AutomaticCalls, EndBehindTheFirstWhereThereIsOne) {
  const CallsAsked asked{.tools = tools_from(kTools), .are_many = false};
  Answer answer = answer_of(asked, "json", kAnyCut);
  const std::string call = R"(So {"name": "now", "parameters": {}})";
  EXPECT_TRUE(taken(answer, call).may_end);
  EXPECT_FALSE(taken(answer, call + "x").is_allowed);
}

struct Wrong {
  std::string name, syntax, parameters, wanted;
};
void PrintTo(const Wrong& c, std::ostream* os) { *os << c.name; }

class WrongSchemas : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongSchemas, AreRefusedWithTheirPlace) {
  const auto tools = tools_from(
      R"([{"type": "function", "function": {"name": "a"}},
          {"type": "function", "function": {"name": "b", "parameters": )" +
      GetParam().parameters + "}}]");
  try {
    (void)calls_tag({.tools = tools}, tools::syntax_named(GetParam().syntax));
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.text(), StartsWith("tools: [1].function.parameters"));
    EXPECT_THAT(error.text(), HasSubstr(GetParam().wanted));
  }
}

std::string of_a(const std::string& schema) {
  return R"({"type": "object", "properties": {"a": )" + schema + "}}";
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongSchemas,
    ::testing::ValuesIn<Wrong>({
        {"Type", "fenced", of_a(R"({"type": "nix"})"),
         "'a'.type is the unknown type"},
        {"Reference", "json", of_a(R"({"$ref": "#/x"})"), "refers to"},
        {"Lengths", "tagged",
         of_a(R"({"type": "string", "maxLength": 10000000})"), "maxLength"},
        {"EscapedType", "functiongemma", of_a(R"({"type": "nix"})"),
         "'a'.type is the unknown type"},
        {"EscapedPattern", "functiongemma",
         of_a(R"({"type": "string", "pattern": "a"})"), "'a' has 'pattern'"},
        {"EscapedMore", "functiongemma",
         R"({"type": "object", "additionalProperties": true})",
         ".additionalProperties is no false"},
        {"EscapedKey", "functiongemma",
         R"({"type": "object", "properties": {"a,b": {"type": "null"}}})",
         "'a,b' has a name"},
        {"EscapedEnum", "functiongemma", of_a(R"({"enum": ["<escape>"]})"),
         "'a'.enum[0] holds"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(EscapedCalls, HoldEveryKindOfValue) {
  const auto tools = tools_from(
      R"([{"type": "function", "function": {"name": "f", "parameters": {
          "type": "object", "required": ["b", "d"], "properties": {
              "d": {"type": "array", "items": {"type": "number"}},
              "b": {"type": ["boolean", "null"]},
              "c": {"anyOf": [{"const": "x"}, {"type": "integer"}]},
              "a": {"type": "object", "properties": {
                  "s": {"type": "string", "description": "some"}}}}}}}])");
  Answer answer =
      answer_of({.tools = tools, .is_required = true, .are_many = false},
                "functiongemma", kAnyCut);
  const std::string begin = "<start_function_call>call:f";
  const std::string end = "<end_function_call>";
  for (const std::string arguments :
       {"{b:true,d:[]}", "{b:null,d:[1,-2.5e3]}", "{b:false,c:7,d:[0]}",
        "{a:{s:<escape>it's {\"ok\"}, x<escape>},b:true,"
        "c:<escape>x<escape>,d:[]}",
        "{a:{},b:true,d:[]}"}) {
    const auto ending = taken(answer, begin + arguments + end);
    EXPECT_TRUE(ending.is_allowed && ending.may_end) << arguments;
  }
  for (const std::string arguments :
       {"{b:true}", "{d:[],b:true}", "{}", "{b:1,d:[]}", "{b:true,d:[01]}",
        "{b:true,c:<escape>y<escape>,d:[]}", "{b:true,d:[],e:1}",
        "{a:{},b:true,d:[],}"}) {
    EXPECT_FALSE(taken(answer, begin + arguments + end).is_allowed)
        << arguments;
  }
}

}  // namespace
}  // namespace penstock::grammar

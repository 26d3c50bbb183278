// Complaints about tools, and choices among them.
#include "pipeline_serve/api/openai/tool_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/json.h"
#include "pipeline_run/input/tool_choice.h"

namespace penstock::serve {
namespace {

using ::testing::HasSubstr;

TEST(ToolsError, NamesTheMember) {
  const auto of = [](const std::string& text) {
    return tools_error(Error(Code::kData, text), ToolShape::kOfChat);
  };
  const auto inner = of("tools: [1].function.name is 'a b', expected ...");
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->param, "tools[1].function.name");
  EXPECT_EQ(inner->message, "tools[1].function.name is 'a b', expected ...");
  const auto whole = of("tools: 70000 bytes of schemas are too many");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->param, "tools");
  EXPECT_FALSE(of("messages: [0] is wrong"));
}

TEST(ToolsError, NamesAResponsesMember) {
  const auto of = [](const std::string& text) {
    return tools_error(Error(Code::kData, text), ToolShape::kOfResponse);
  };
  EXPECT_EQ(of("tools: [1].function.name is 'a b'")->param, "tools[1].name");
  EXPECT_EQ(of("tools: [0].type is 'x.function'")->message,
            "tools[0].type is 'x.function'");
  EXPECT_EQ(of("tools: [0].function has no key 'name'")->message,
            "tools[0] has no key 'name'");
}

Body body_with_tools(const std::string& tools) {
  return Body(R"({"tools": )" + tools + "}");
}

TEST(ToolShape, OfAResponseBecomesThatOfAChat) {
  const Body body = body_with_tools(
      R"([{"type": "function", "name": "f", "parameters": {"a": 1}},
          {"type": "web_search", "size": 3}])");
  EXPECT_EQ(penstock::json_text(nested_tools(body.at("tools"))),
            R"([{"type":"function","function":{"name":"f",)"
            R"("parameters":{"a":1}}},{"type":"web_search"}])");
  EXPECT_THROW((void)nested_tools(body_with_tools("[5]").at("tools")), Error);
  EXPECT_THROW((void)nested_tools(body_with_tools("{}").at("tools")), Error);
}

TEST(ToolShape, OfAResponseIsRepeatedWhole) {
  const Body body = body_with_tools(
      R"([{"type": "function", "name": "f", "strict": false}])");
  EXPECT_EQ(repeated_tools(body.at("tools")),
            R"([{"type":"function","name":"f","strict":false,)"
            R"("parameters":null}])");
}

TEST(BesideTools, NothingIsSaidOfTexts) {
  const auto param_of = [](const Options& options) {
    try {
      check_beside_tools(options, "text.format", "include");
    } catch (const HttpError& error) {
      return error.param;
    }
    return std::string("none");
  };
  EXPECT_EQ(param_of({{"temperature", RawScalar{.text = "1"}}}), "none");
  EXPECT_EQ(param_of({{"json", RawScalar{.text = "true"}}}), "text.format");
  EXPECT_EQ(param_of({{"json_schema", RawScalar{.text = "{}"}}}),
            "text.format");
  EXPECT_EQ(param_of({{"logprobs", RawScalar{.text = "0"}}}), "include");
}

std::string choice_of(const std::string& choice) {
  const Body body(R"({"tool_choice": )" + choice + "}");
  return reading(
      [&] { return run::tool_choice_option(body.at("tool_choice")); });
}

TEST(ToolChoice, IsAWordOrAFunction) {
  EXPECT_EQ(choice_of(R"("auto")"), "auto");
  EXPECT_EQ(choice_of(R"("required")"), "required");
  EXPECT_EQ(choice_of(R"({"type": "function", "function": {"name": "f"}})"),
            "function:f");
  EXPECT_EQ(choice_of(R"({"type": "function", "name": "f"})"), "function:f");
}

TEST(ToolChoice, OfAnythingElseIsRefused) {
  for (const auto& [choice, param] : std::map<std::string, std::string>{
           {R"("always")", "tool_choice"},
           {R"({"type": "allowed_tools"})", "tool_choice.type"},
           {R"({"type": "function", "function": {}})", "tool_choice.function"},
           {"5", "tool_choice"}}) {
    try {
      (void)choice_of(choice);
      ADD_FAILURE() << choice;
    } catch (const HttpError& error) {
      EXPECT_EQ(error.param, param) << error.message;
    }
  }
}

}  // namespace
}  // namespace penstock::serve

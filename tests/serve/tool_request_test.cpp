// Complaints about tools, and choices among them.
#include "pipeline_serve/api/openai/tool_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline_run/input/tool_choice.h"

namespace penstock::serve {
namespace {

using ::testing::HasSubstr;

TEST(ToolsError, NamesTheMember) {
  const auto of = [](const std::string& text) {
    return tools_error(Error(Code::kData, text));
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

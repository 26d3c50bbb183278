// Conversations with tools, for templates that know them and for others.
#include "gemma/tool_prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gemma/chat_template.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::gemma {
namespace {

using ::testing::HasSubstr;

const char* const kTalk = R"([
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Rain in Oslo?"},
    {"role": "assistant", "content": null, "tool_calls": [
        {"id": "a", "type": "function", "function":
         {"name": "rain", "arguments": "{\"days\": 1, \"city\": \"Oslo\"}"}},
        {"id": "b", "type": "function", "function":
         {"name": "wind", "arguments": ""}}]},
    {"role": "tool", "tool_call_id": "a", "content": "3 mm"},
    {"role": "tool", "tool_call_id": "b", "content": "none"},
    {"role": "user", "content": "Thanks. And Bergen?"}])";

const char* const kTools = R"([{"type": "function", "function": {
    "name": "rain", "description": "Rain of a city", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}}}}])";

TEST(ToolPrompt, IsTextForATemplateWithoutTools) {
  const JsonValue tools = parse_json(kTools, "tools");
  const JsonValue turns = messages_of_text(
      parse_json(kTalk, "messages"), &tools, tools::syntax_named("fenced"));
  const ChatTemplate gemma("", "gemma");
  ASSERT_FALSE(gemma.knows_tools());
  const std::string text =
      gemma.write({.messages = turns, .system = "", .bos = "<bos>", .eos = ""})
          .bytes();
  EXPECT_EQ(text,
            "<bos><start_of_turn>user\n"
            "You can call these functions:\n"
            R"({"name": "rain", "description": "Rain of a city", )"
            R"("parameters": {"type": "object", )"
            R"("properties": {"city": {"type": "string"}}}})"
            "\n\nTo call one, write this and nothing behind it:\n"
            "```tool_code\n"
            R"({"name": "NAME", "parameters": {...}})"
            "\n```\n"
            "Its result is then told to you. Where no function helps, answer "
            "in words.\n\nBe brief.\n\nRain in Oslo?<end_of_turn>\n"
            "<start_of_turn>model\n```tool_code\n"
            R"({"name": "rain", "parameters": {"days": 1, "city": "Oslo"}})"
            "\n```\n```tool_code\n"
            R"({"name": "wind", "parameters": {}})"
            "\n```<end_of_turn>\n<start_of_turn>user\n"
            "```tool_output\n3 mm\n```\n```tool_output\nnone\n```\n\n"
            "Thanks. And Bergen?<end_of_turn>\n<start_of_turn>model\n");
}

TEST(ToolPrompt, WithoutToolsIsWhatItWas) {
  const JsonValue plain = parse_json(
      R"([{"role": "user", "content": "a"},
          {"role": "assistant", "content": "b"},
          {"role": "user", "content": [{"type": "text", "text": "c"}]}])",
      "messages");
  const JsonValue turns =
      messages_of_text(plain, nullptr, tools::syntax_named("json"));
  const ChatTemplate gemma("", "gemma");
  EXPECT_EQ(gemma.write({.messages = turns, .system = "", .bos = "", .eos = ""})
                .bytes(),
            gemma.write({.messages = plain, .system = "", .bos = "", .eos = ""})
                .bytes());
}

TEST(ToolPrompt, KeepsThePipelinesOwnSystem) {
  const JsonValue asked =
      parse_json(R"([{"role": "user", "content": "a"}])", "messages");
  const JsonValue tools = parse_json(kTools, "tools");
  const auto syntax = tools::syntax_named("json");
  EXPECT_THAT(json_text(messages_of_text(asked, &tools, syntax, "Be kind."),
                        JsonSpaces::kSpaced),
              HasSubstr("in words.\\n\\nBe kind."));
  EXPECT_THAT(json_text(messages_of_text(parse_json(kTalk, "messages"), &tools,
                                         syntax, "Be kind."),
                        JsonSpaces::kSpaced),
              ::testing::Not(HasSubstr("kind")));
}

TEST(ToolPrompt, IsDataForATemplateWithTools) {
  const JsonValue turns = messages_with_calls(parse_json(kTalk, "messages"));
  const std::string text = json_text(turns, JsonSpaces::kSpaced);
  EXPECT_THAT(text, HasSubstr(R"("arguments": {"days": 1, "city": "Oslo"}}, )"
                              R"("id": "a")"));
  EXPECT_THAT(text, HasSubstr(R"("content": "3 mm", "name": "rain")"));
  EXPECT_THAT(text, HasSubstr(R"("content": "none", "name": "wind")"));
}

TEST(ToolPrompt, NamesWhatIsWrong) {
  const auto fault = [](const std::string& messages) -> std::string {
    try {
      (void)messages_with_calls(parse_json(messages, "messages"));
    } catch (const Error& error) {
      return error.text();
    }
    return "none";
  };
  EXPECT_THAT(fault(R"([{"role": "assistant", "tool_calls": [{"function":
                         {"name": "f", "arguments": "{"}}]}])"),
              HasSubstr("[0].tool_calls[0].function.arguments is no JSON"));
  EXPECT_THAT(fault(R"([{"role": "assistant", "tool_calls": [{"function":
                         {"name": "f", "arguments": "[1]"}}]}])"),
              HasSubstr("is JSON, but no object"));
  EXPECT_THAT(fault(R"([{"role": "assistant", "tool_calls": [{}]}])"),
              HasSubstr("[0].tool_calls[0] has no key 'function'"));
}

}  // namespace
}  // namespace penstock::gemma

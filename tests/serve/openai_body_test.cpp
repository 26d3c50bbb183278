// Bodies of OpenAI's API: whatever is wrong is refused with its name.
#include "pipeline_serve/api/openai/body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline_serve/api/openai/conversation.h"
#include "pipeline_serve/api/openai/options.h"
#include "pipeline_serve/api/openai/prompts.h"
#include "pipeline_serve/api/openai/streaming.h"

namespace penstock::serve {
namespace {

using ::testing::HasSubstr;

/// The error of a call, or one without a status.
template <class Call>
HttpError error_of_call(const Call& call) {
  try {
    call();
  } catch (const HttpError& error) {
    return error;
  }
  HttpError none;
  none.status = 0;
  return none;
}

void check_all(const std::string& text) {
  const Body body(text);
  check_members(body, {.own = {"model", "prompt", "stream", "stream_options",
                               "tools", "tool_choice", "messages", "input"},
                       .options = {"temperature"}});
  (void)streaming_of(body);
  if (const auto prompt = body.find("prompt")) {
    reading([&] { return prompts_of(*prompt, 100); });
  }
  if (const auto messages = body.find("messages")) {
    reading([&] { return messages_of_chat(*messages); });
  }
  if (const auto input = body.find("input")) {
    reading([&] { return messages_of_response(*input, ""); });
  }
}

struct Wrong {
  const char* body;
  const char* param;
  const char* words;
};
void PrintTo(const Wrong& c, std::ostream* os) { *os << c.body; }

class BodyRefuses : public ::testing::TestWithParam<Wrong> {};

TEST_P(BodyRefuses, AndNamesIt) {
  const auto error = error_of_call([] { check_all(GetParam().body); });
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.param, GetParam().param);
  EXPECT_THAT(error.message, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BodyRefuses,
    ::testing::Values(
        Wrong{"", "", "is no JSON"}, Wrong{"{", "", "is no JSON"},
        Wrong{"[1]", "", "the body is a list, expected an object"},
        Wrong{R"({"prompt": 1, "prompt": 2})", "", "stands there twice"},
        Wrong{R"({"prompt": [2, 9223372036854775808]})", "prompt[1]",
              "is too large"},
        Wrong{R"({"temperatur": 1})", "temperatur",
              "did you mean 'temperature'?"},
        Wrong{R"({"whatever": null})", "whatever", "is not known here"},
        Wrong{R"({"user": 5})", "user", "expected a text"},
        Wrong{R"({"metadata": {"a": 1}})", "metadata.a", "expected a text"},
        Wrong{R"({"store": true})", "store", "nothing is stored here"},
        Wrong{R"({"service_tier": "flex"})", "service_tier", "another tier"},
        Wrong{R"({"prediction": {"type": "content"}})", "prediction",
              "is not known here"},
        Wrong{R"({"suffix": "x"})", "suffix", "leave it out"},
        Wrong{R"({"response_format": {"type": "json_object"}})",
              "response_format", "leave it out"},
        Wrong{R"({"stream": 1})", "stream", "expected true or false"},
        Wrong{R"({"stream_options": {}})", "stream_options",
              "only for stream: true"},
        Wrong{R"({"stream": true, "stream_options": {"x": 1}})",
              "stream_options.x", "is not known here"}));

INSTANTIATE_TEST_SUITE_P(
    Prompts, BodyRefuses,
    ::testing::Values(
        Wrong{R"({"prompt": 7})", "prompt", "neither a text nor token ids"},
        Wrong{R"({"prompt": []})", "prompt", "is empty"},
        Wrong{R"({"prompt": [[]]})", "prompt[0]", "is empty"},
        Wrong{R"({"prompt": [2, 100]})", "prompt[1]", "vocabulary of 100"},
        Wrong{R"({"prompt": [[2], [-1]]})", "prompt[1][0]", "vocabulary"},
        Wrong{R"({"prompt": [2, "a"]})", "prompt[1]", "expected an integer"},
        Wrong{R"({"prompt": ["a", null]})", "prompt[1]", "neither a text"}));

INSTANTIATE_TEST_SUITE_P(
    Messages, BodyRefuses,
    ::testing::Values(
        Wrong{R"({"messages": []})", "messages", "needs a message"},
        Wrong{R"({"messages": "Hi"})", "messages", "expected a list"},
        Wrong{R"({"messages": ["Hi"]})", "messages[0]", "is no object"},
        Wrong{R"({"messages": [{"role": "user"}]})", "messages[0]",
              "has no key 'content'"},
        Wrong{R"({"messages": [{"role": "bot", "content": ""}]})",
              "messages[0].role", "expected one of system"},
        Wrong{R"({"messages": [{"role": "tool", "content": ""}]})",
              "messages[0]", "has no key 'tool_call_id'"},
        Wrong{R"({"messages": [{"role": "tool", "content": "",
                                "tool_call_id": "a"}]})",
              "messages[0].tool_call_id", "no call of the messages before"},
        Wrong{R"({"messages": [{"role": "user", "content": "a",
                                "tool_calls": [{"id": "a"}]}]})",
              "messages[0].tool_calls", "is not known here"},
        Wrong{R"({"messages": [{"role": "assistant", "tool_calls": [
                  {"id": "a", "function": {"name": "f",
                   "arguments": "{"}}]}]})",
              "messages[0].tool_calls[0].function.arguments", "is no JSON"},
        Wrong{R"({"messages": [{"role": "assistant", "tool_calls": [
                  {"id": "a", "function": {"name": "f",
                   "arguments": "[]"}}]}]})",
              "messages[0].tool_calls[0].function.arguments", "no object"},
        Wrong{R"({"messages": [{"role": "assistant", "tool_calls": [
                  {"function": {"name": "f", "arguments": "{}"}}]}]})",
              "messages[0].tool_calls[0]", "has no key 'id'"},
        Wrong{R"({"input": [{"role": "tool", "content": "x"}]})",
              "input[0].role", "is a function_call_output"},
        Wrong{R"({"input": [{"type": "function_call", "call_id": "a",
                             "name": "f", "arguments": "[1]"}]})",
              "input[0].arguments", "no object"},
        Wrong{R"({"input": [{"type": "function_call", "name": "f",
                             "arguments": "{}"}]})",
              "input[0]", "has no key 'call_id'"},
        Wrong{R"({"input": [{"type": "function_call_output", "call_id": "a",
                             "output": "x"}]})",
              "input[0].call_id", "no call of the messages before"},
        Wrong{R"({"messages": [{"role": "user", "content": 5}]})",
              "messages[0].content", "neither a text nor a list"},
        Wrong{R"({"messages": [{"role": "user", "content": "a", "x": 1}]})",
              "messages[0].x", "is not known here"},
        Wrong{R"({"messages": [{"role": "user", "content": [
                  {"type": "image_url", "image_url": {}}]}]})",
              "messages[0].content[0].type", "reads only text"},
        Wrong{R"({"input": 5})", "input", "neither a text nor a list"},
        Wrong{R"({"input": [{"type": "reasoning"}]})", "input[0].type",
              "expected one of message, function_call"}));

TEST(Body, TakesHintsDefaultsAndNulls) {
  EXPECT_NO_THROW(check_all(R"({"user": "u", "metadata": {"a": "b"},
      "store": false, "service_tier": "auto", "response_format":
      {"type": "text"}, "tools": [], "tool_choice": "auto", "prediction": null,
      "suffix": null, "stream_options": null, "temperature": null})"));
  EXPECT_TRUE(streaming_of(Body(R"({"stream": true, "stream_options":
                           {"include_usage": true}})"))
                  .has_usage);
}

std::string chat_json(const std::string& messages) {
  const Body body(R"({"messages": )" + messages + "}");
  return messages_of_chat(body.at("messages")).text;
}

TEST(Prompts, AreOneOrMany) {
  const auto count = [](const std::string& text) {
    return prompts_of(Body(R"({"prompt": )" + text + "}").at("prompt"), 0)
        .size();
  };
  EXPECT_EQ(count(R"("a")"), 1);
  EXPECT_EQ(count("[5, 6]"), 1);
  EXPECT_EQ(count(R"(["a", "", [5]])"), 3);
}

TEST(Conversation, MakesOneTextOfParts) {
  EXPECT_EQ(chat_json(R"([{"role": "user", "content": [
                {"type": "text", "text": "Say"},
                {"type": "text", "text": " it"}]}])"),
            R"([{"role":"user","content":"Say it"}])");
}

TEST(Conversation, MakesOneSystemOfThoseThatBeginIt) {
  EXPECT_EQ(chat_json(R"([{"role": "system", "content": "a"},
                          {"role": "developer", "content": "b"},
                          {"role": "user", "content": "c", "name": "sam"},
                          {"role": "assistant", "content": "d",
                           "refusal": null, "annotations": []}])"),
            R"([{"role":"system","content":"a\n\nb"},)"
            R"({"role":"user","content":"c"},)"
            R"({"role":"assistant","content":"d"}])");
}

TEST(Conversation, KeepsCallsAndTheirAnswers) {
  const std::string calls = R"([{"id":"a","type":"function","function":)"
                            R"({"name":"f","arguments":"{\"x\":1}"}}])";
  EXPECT_EQ(chat_json(R"([{"role": "user", "content": "c"},
                          {"role": "assistant", "content": null,
                           "tool_calls": )" +
                      calls + R"(},
                          {"role": "tool", "tool_call_id": "a",
                           "content": [{"type": "text", "text": "7"}]}])"),
            R"([{"role":"user","content":"c"},)"
            R"({"role":"assistant","content":"","tool_calls":)" +
                calls +
                R"(},{"role":"tool","content":"7",)"
                R"("tool_call_id":"a"}])");
}

TEST(Conversation, OfAResponseBeginsWithItsInstructions) {
  const Body body(R"({"input": [{"type": "message", "role": "user",
      "content": [{"type": "input_text", "text": "Hi"}]}]})");
  EXPECT_EQ(messages_of_response(body.at("input"), "Be short.").text,
            R"([{"role":"system","content":"Be short."},)"
            R"({"role":"user","content":"Hi"}])");
}

TEST(Conversation, OfAResponseHasCallsAsAChatHas) {
  const Body body(R"({"input": [
      {"role": "user", "content": "c"},
      {"type": "message", "role": "assistant", "id": "msg_1",
       "status": "completed", "content": [{"type": "output_text",
       "text": "d", "annotations": [], "logprobs": []}]},
      {"type": "function_call", "id": "fc_1", "call_id": "a", "name": "f",
       "arguments": "{}", "status": "completed"},
      {"type": "function_call", "call_id": "b", "name": "g",
       "arguments": "{\"x\":1}"},
      {"type": "function_call_output", "call_id": "b", "output": "7"},
      {"type": "function_call_output", "call_id": "a",
       "output": [{"type": "input_text", "text": "8"}]},
      {"type": "function_call", "call_id": "e", "name": "f",
       "arguments": "{}"}]})");
  EXPECT_EQ(messages_of_response(body.at("input"), "").text,
            R"([{"role":"user","content":"c"},)"
            R"({"role":"assistant","content":"d","tool_calls":[)"
            R"({"id":"a","type":"function","function":)"
            R"({"name":"f","arguments":"{}"}},)"
            R"({"id":"b","type":"function","function":)"
            R"({"name":"g","arguments":"{\"x\":1}"}}]},)"
            R"({"role":"tool","content":"7","tool_call_id":"b"},)"
            R"({"role":"tool","content":"8","tool_call_id":"a"},)"
            R"({"role":"assistant","content":"","tool_calls":[)"
            R"({"id":"e","type":"function","function":)"
            R"({"name":"f","arguments":"{}"}}]}])");
}

TEST(OptionError, SpeaksInTheirNames) {
  const auto of = [](const char* text) {
    return option_error(Error(Code::kData, text));
  };
  const HttpError both =
      of("options: min_new_tokens is 9, more than max_new_tokens, 3");
  EXPECT_EQ(both.param, "min_tokens");
  EXPECT_EQ(both.message, "min_tokens is 9, more than max_tokens, 3");
  EXPECT_EQ(of("logit_bias: token id 9 is not there").param, "logit_bias");
  EXPECT_EQ(of("stop_ids: token id 9 is not there").param, "stop_token_ids");
  EXPECT_EQ(of("option 'seed': expected integer").param, "seed");
  EXPECT_EQ(of("the prompt is empty").param, "");
}

}  // namespace
}  // namespace penstock::serve

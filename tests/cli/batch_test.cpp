// Long jobs: results in a file, resumed after a kill; OpenAI's batch lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

/// $J: a new folder with `count` lines in in.jsonl, every 50th a wrong one.
/// $JOB: runs them, each with 4 tokens.
std::string job(int count) {
  return "J=$(mktemp -d); trap 'rm -rf $J' EXIT; seq " + std::to_string(count) +
         " | sed 's/.*/{\"id\": \"r&\", \"text\": \"line &\"}/; "
         "50~50s/text/txet/' > $J/in.jsonl; JOB=\"$RUN $TINY --threads 1 "
         "--set decode.max_new_tokens=4 --jsonl $J/in.jsonl --output "
         "$J/out.jsonl\"; ";
}

std::vector<Json> results(const std::string& text) {
  std::vector<Json> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    all.push_back(Json::parse(line));
  }
  return all;
}

/// r1, r2, ... each once, errors where the line was wrong.
void expect_whole(const std::string& text, std::size_t count) {
  const auto all = results(text);
  ASSERT_EQ(all.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(all[i]["id"], "r" + std::to_string(i + 1));
    ASSERT_EQ(all[i].contains("error"), (i + 1) % 50 == 0) << all[i];
    ASSERT_NE(all[i]["finish_reason"], "cancelled") << all[i];
  }
}

/// Waits until $pid has written $1 lines, or has ended.
const std::string kUntil =
    "until_line() { while kill -0 $pid 2> /dev/null && "
    "[ $(wc -l < $J/out.jsonl) -lt $1 ]; do sleep 0.01; done; }; "
    "touch $J/out.jsonl; ";

TEST(Batch, LosesAndDoublesNothingWhenItIsKilled) {
  const bool is_full = std::getenv("PENSTOCK_FULL") != nullptr;
  const std::string kills = is_full ? "50" : "12";
  const std::size_t count = is_full ? 40000 : 10000;
  const Ran ran =
      shell(job(static_cast<int>(count)) + kUntil +
            "RANDOM=7; for i in $(seq " + kills +
            "); do from=$(wc -l < $J/out.jsonl); $JOB --resume & pid=$!; "
            "until_line $((from + 1 + RANDOM % 400)); kill -9 $pid; wait $pid; "
            "wc -l < $J/out.jsonl >> $J/at; done 2> /dev/null; "
            "$JOB --resume 2> /dev/null; cat $J/out.jsonl; sort -nu $J/at >&2");
  expect_whole(ran.out, count);
  std::istringstream at(ran.err);
  std::vector<int> places;
  for (int place = 0; at >> place;) places.push_back(place);
  EXPECT_EQ(places.size(), is_full ? 50 : 12) << "a kill came too late";
}

TEST(Batch, GoesOnWhereCtrlCStoppedIt) {
  const Ran ran = shell(job(20000) + kUntil +
                        "$JOB --resume 2> /dev/null & pid=$!; until_line 100; "
                        "kill -INT $pid; wait $pid; echo $? >&2; "
                        "wc -l < $J/out.jsonl >&2; "
                        "$JOB --resume 2> /dev/null; cat $J/out.jsonl");
  expect_whole(ran.out, 20000);
  std::istringstream err(ran.err);
  int code = 0;
  int lines = 0;
  err >> code >> lines;
  EXPECT_EQ(code, 130);
  EXPECT_GE(lines, 100);
  EXPECT_LT(lines, 20000);
}

TEST(Batch, MakesALineThatWasCutShortAgain) {
  const Ran ran = shell(job(30) +
                        "$JOB; head -n 20 $J/out.jsonl > $J/cut; printf "
                        "'{\"id\": \"r21\", \"te' >> $J/cut; mv $J/cut "
                        "$J/out.jsonl; $JOB --resume; cat $J/out.jsonl");
  EXPECT_EQ(ran.code, 0) << ran.err;
  expect_whole(ran.out, 30);
}

TEST(Batch, HasNothingToDoTwice) {
  const Ran ran = shell(job(20) +
                        "$JOB; cp $J/out.jsonl $J/first; $JOB "
                        "--resume && cmp $J/first $J/out.jsonl");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "");
}

struct Refusal {
  const char* script;
  int code;
  const char* words;
};
class BatchRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(BatchRefuses, WhatWouldMixJobs) {
  const Ran ran = shell(job(5) + GetParam().script);
  EXPECT_EQ(ran.code, GetParam().code);
  EXPECT_THAT(ran.err, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BatchRefuses,
    ::testing::Values(
        Refusal{"touch $J/out.jsonl; $JOB", 2, "go on with --resume"},
        Refusal{"$RUN $TINY --resume", 2, "--resume needs the file"},
        Refusal{"$JOB --until decode", 2, "--chat and --until give none"},
        Refusal{"$JOB --show", 2, "--show and --json exclude each other"},
        Refusal{"echo '{\"a\": 1}' > $J/out.jsonl; $JOB --resume", 65,
                "line 1 is no result"},
        Refusal{"echo '[' > $J/out.jsonl; $JOB --resume", 65,
                "line 1 is no result"},
        Refusal{"echo '{\"id\": \"x\"}' > $J/out.jsonl; $JOB --resume", 65,
                "line 1 is of request 'x', the input has 'r1' there"},
        Refusal{"$JOB; echo '{\"id\": \"x\"}' >> $J/out.jsonl; $JOB --resume",
                65, "has 6 results, the input only 5 requests"},
        Refusal{"touch $J/out.jsonl; flock $J/out.jsonl $JOB --resume", 75,
                "is being written by another process"},
        Refusal{"mkdir $J/out.jsonl; $JOB --resume", 75, "Is a directory"},
        Refusal{"$RUN $TINY --text a --output /dev/full --resume", 2,
                "'/dev/full' is no regular file"}));

const std::string kOpenAi =
    "cat << 'END' | $RUN $TINY --jsonl - --json --set decode.max_new_tokens=4\n"
    R"({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "g", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, "logprobs": true, "top_logprobs": 2, "n": 2, "temperature": 1, "seed": 5, "user": "u"}}
{"custom_id": "b", "url": "/v1/completions", "body": {"prompt": ["Hi"], "max_completion_tokens": 2, "logprobs": 1, "ignore_eos": true}}
{"custom_id": "c", "url": "/v1/completions", "body": {"prompt": "Hi", "stop": null}}
)";

TEST(OpenAi, GetsItsEnvelope) {
  const Ran ran = shell(kOpenAi + "END");
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto all = results(ran.out);
  ASSERT_EQ(all.size(), 3);
  EXPECT_EQ(all[0]["custom_id"], "a");
  EXPECT_TRUE(all[0]["error"].is_null());
  EXPECT_EQ(all[0]["response"]["status_code"], 200);
  const Json& chat = all[0]["response"]["body"];
  EXPECT_EQ(chat["object"], "chat.completion");
  EXPECT_EQ(chat["model"], "g");
  ASSERT_EQ(chat["choices"].size(), 2);
  std::size_t made = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const Json& choice = chat["choices"][i];
    EXPECT_EQ(choice["index"], i);
    EXPECT_EQ(choice["message"]["role"], "assistant");
    EXPECT_TRUE(choice["message"]["content"].is_string());
    const Json& tokens = choice["logprobs"]["content"];
    made += tokens.size();
    for (const Json& token : tokens) {
      EXPECT_EQ(token["top_logprobs"].size(), 2);
    }
  }
  EXPECT_EQ(chat["usage"]["completion_tokens"], made);
  EXPECT_EQ(chat["usage"]["total_tokens"],
            made + chat["usage"]["prompt_tokens"].get<std::size_t>());
  const Json& text = all[1]["response"]["body"];
  EXPECT_EQ(text["object"], "text_completion");
  EXPECT_EQ(text["choices"][0]["finish_reason"], "length");
  const Json& columns = text["choices"][0]["logprobs"];
  EXPECT_EQ(columns["tokens"].size(), 2);
  EXPECT_EQ(columns["token_logprobs"].size(), 2);
  EXPECT_EQ(columns["top_logprobs"][0].size(), 1);
  EXPECT_TRUE(all[2]["response"]["body"]["choices"][0]["logprobs"].is_null());
}

TEST(OpenAi, ContinuesAPromptAsItIs) {
  const Ran ran = shell(
      R"(echo '{"custom_id": "a", "url": "/v1/completions",
                "body": {"prompt": "Hello"}}' | tr -d '\n' |
         $RUN gemma_chat.yaml ${TINY#* } --jsonl - --until preprocess --json;
         $RUN $TINY --text Hello --until preprocess --json)");
  const auto all = results(ran.out);
  ASSERT_EQ(all.size(), 2) << ran.err;
  EXPECT_EQ(all[0]["input_ids"], all[1]["input_ids"]);
}

TEST(OpenAi, TakesTokenIdsAsTheyAre) {
  const Ran ran = shell(
      R"(echo '{"custom_id": "a", "url": "/v1/completions",
                "body": {"prompt": [[2, 7, 9]]}}
{"token_ids": [2, 7, 9]}' | tr -d '\n' | sed 's/}{/}\n{/' |
         $RUN $TINY --jsonl - --until preprocess --json)");
  const auto all = results(ran.out);
  ASSERT_EQ(all.size(), 2) << ran.err;
  EXPECT_EQ(all[0]["input_ids"], Json({2, 7, 9}));
  EXPECT_EQ(all[1]["input_ids"], Json({2, 7, 9}));
}

TEST(OpenAi, MayWriteWhatIsTheDefaultAnyway) {
  const Ran ran = shell(
      R"(cat << 'END' | tr -d '\n' | $RUN $TINY --jsonl - --json
{"custom_id": "a", "method": null, "url": "/v1/chat/completions", "body": {
 "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2,
 "model": null, "n": 1, "temperature": 1, "top_p": 1, "stop": null,
 "response_format": {"type": "text"}, "stream": false, "stream_options": null,
 "logprobs": true, "top_logprobs": null, "logit_bias": {}, "tools": null,
 "tool_choice": "auto", "parallel_tool_calls": true, "functions": [],
 "function_call": "none", "audio": null, "modalities": ["text"],
 "reasoning_effort": "medium", "verbosity": "medium", "seed": null,
 "web_search_options": null, "prediction": null, "safety_identifier": "s",
 "prompt_cache_key": "k", "length_penalty": 1.0, "whatever": null}}
END
)");
  const auto all = results(ran.out);
  ASSERT_EQ(all.size(), 1) << ran.err;
  EXPECT_EQ(all[0]["response"]["status_code"], 200) << all[0];
}

/// $HELD: a line of the chat pipeline, whose model is a tiny random one.
std::string held(const std::string& lines) {
  return "cat << 'END' | tr -d '\\n' | sed 's/}{\"custom/}\\n{\"custom/g' | "
         "$RUN gemma_chat.yaml ${TINY#* } --jsonl - --json\n" +
         lines + "END\n";
}

TEST(OpenAi, HasAnswersOfAForm) {
  const Ran ran = shell(held(
      R"({"custom_id": "a", "url": "/v1/chat/completions", "body": {
 "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 60,
 "response_format": {"type": "json_schema", "json_schema": {"name": "x",
  "schema": {"type": "object", "required": ["a", "b"], "properties": {
   "a": {"enum": ["x", "y"]}, "b": {"type": "boolean"}}}}}}}
)"));
  const auto all = results(ran.out);
  ASSERT_EQ(all.size(), 1) << ran.err;
  const Json& choice = all[0]["response"]["body"]["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "stop") << all[0];
  const auto answer =
      Json::parse(choice["message"]["content"].get<std::string>());
  EXPECT_TRUE(answer["a"] == "x" || answer["a"] == "y");
  EXPECT_TRUE(answer["b"].is_boolean());
}

const char* const kTool =
    R"({"type": "function", "function": {"name": "pick", "parameters": {
        "type": "object", "required": ["a"], "properties":
        {"a": {"enum": [1, 2]}}}}})";

TEST(OpenAi, CallsTools) {
  const Ran ran = shell(
      held(std::string(R"({"custom_id": "a", "url": "/v1/chat/completions",
 "body": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 200,
 "parallel_tool_calls": false, "tool_choice": {"type": "function", "function":
 {"name": "pick"}}, "tools": [)") +
           kTool + "]}}\n"));
  const auto all = results(ran.out);
  ASSERT_EQ(all.size(), 1) << ran.err;
  const Json& choice = all[0]["response"]["body"]["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls") << all[0];
  EXPECT_TRUE(choice["message"]["content"].is_null());
  const Json& call = choice["message"]["tool_calls"][0];
  EXPECT_EQ(call["function"]["name"], "pick");
  const auto picked =
      Json::parse(call["function"]["arguments"].get<std::string>());
  EXPECT_TRUE(picked["a"] == 1 || picked["a"] == 2);
}

TEST(Lines, CallToolsAndTakeTheirAnswers) {
  const Ran ran = shell(
      R"(cat << 'END' | tr -d '\n' | $RUN gemma_chat.yaml ${TINY#* } --jsonl - --json
{"messages": [{"role": "user", "content": "Hi"},
 {"role": "assistant", "tool_calls": [{"id": "c", "type": "function",
  "function": {"name": "pick", "arguments": "{\"a\": 1}"}}]},
 {"role": "tool", "tool_call_id": "c", "content": "done"}],
 "tools": [)" +
      std::string(kTool) +
      R"(], "options": {"tool_choice": "required", "max_new_tokens": 200,
 "parallel_tool_calls": false}}
END
)");
  const auto all = results(ran.out);
  ASSERT_EQ(all.size(), 1) << ran.err;
  ASSERT_EQ(all[0]["tool_calls"].size(), 1) << all[0];
  EXPECT_EQ(all[0]["tool_calls"][0]["function"]["name"], "pick");
  EXPECT_EQ(all[0]["text"], "");
}

struct Wrong {
  const char* line;
  const char* words;
};
class OpenAiRefuses : public ::testing::TestWithParam<Wrong> {};

/// A wrong line has a result of its own: status 400 and the words.
TEST_P(OpenAiRefuses, InTheEnvelope) {
  const Ran ran = shell("echo '" + std::string(GetParam().line) +
                        "' | tr -d '\\n' | $RUN $TINY --jsonl - --json");
  EXPECT_EQ(ran.code, 65);
  const auto all = results(ran.out);
  ASSERT_EQ(all.size(), 1);
  EXPECT_EQ(all[0]["custom_id"], "a");
  EXPECT_EQ(all[0]["response"]["status_code"], 400);
  EXPECT_THAT(all[0]["response"]["body"]["error"]["message"],
              HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, OpenAiRefuses,
    ::testing::Values(
        Wrong{R"({"custom_id": "a"})", "has no key 'url'"},
        Wrong{R"({"custom_id": "a", "url": "/v1/embeddings", "body": {}})",
              "expected /v1/chat/completions or /v1/completions"},
        Wrong{R"({"custom_id": "a", "url": "/v1/completions"})",
              "has no key 'body'"},
        Wrong{R"({"custom_id": "a", "url": "/v1/completions", "body": 3})",
              "body is an integer, expected an object"},
        Wrong{R"({"custom_id": "a", "url": 1, "body": {}})",
              "url is an integer, expected a text"},
        Wrong{R"({"custom_id": "a", "uri": "", "body": {}})",
              "'uri' is not known beside custom_id, did you mean 'url'?"},
        Wrong{R"({"custom_id": "a", "url": "/v1/completions",
                  "method": "GET", "body": {}})",
              "method is not POST"},
        Wrong{R"({"custom_id": "a", "url": "/v1/completions",
                  "body": {"prompt": ["a", "b"]}})",
              "body has no 'prompt' of one text or one list of token ids"},
        Wrong{R"({"custom_id": "a", "url": "/v1/completions",
                  "body": {"prompt": [1, -2]}})",
              "token_ids[1]: -2 is not in the vocabulary of"},
        Wrong{R"({"custom_id": "a", "url": "/v1/chat/completions",
                  "body": {"prompt": "a"}})",
              "body has no key 'messages'"},
        Wrong{R"({"custom_id": "a", "url": "/v1/chat/completions",
                  "body": {"messages": [], "logprobs": 1}})",
              "body.logprobs is an integer, expected true or false"},
        Wrong{R"({"custom_id": "a", "url": "/v1/completions",
                  "body": {"prompt": "a", "stream": true}})",
              "asks for what there is not here; leave it out, or write false"},
        Wrong{R"({"custom_id": "a", "url": "/v1/completions",
                  "body": {"prompt": "a", "temprature": 1}})",
              "body.'temprature' is not known here, did you mean"},
        Wrong{R"({"custom_id": "a", "url": "/v1/chat/completions",
                  "body": {"messages": [],
                  "response_format": {"type": "json_object"}}})",
              "grammar.rule"},
        Wrong{R"({"custom_id": "a", "url": "/v1/chat/completions",
                  "body": {"messages": [], "tool_choice": "required"}})",
              "asks for a call, but there are no tools"},
        Wrong{R"({"custom_id": "a", "url": "/v1/chat/completions",
                  "body": {"messages": [], "response_format": {"type": "x"}}})",
              "'options'.'response_format'.type is 'x', expected one of text"},
        Wrong{R"({"custom_id": "a", "url": "/v1/completions",
                  "body": {"prompt": "a", "max_tokens": -1}})",
              "expected integer in 1.."}));

}  // namespace
}  // namespace penstock::cli

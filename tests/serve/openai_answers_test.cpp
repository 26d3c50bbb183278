// Answers of OpenAI's API: texts with their tokens, chunks, errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline_serve/api/openai/answers.h"
#include "pipeline_serve/api/openai/completion_logprobs.h"
#include "pipeline_serve/api/openai/response_object.h"

namespace penstock::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OutJson token(const std::string& text) {
  OutJson out{{"token", text}, {"logprob", -1.5}};
  out["bytes"] = OutJson::array();
  for (const char c : text) {
    out["bytes"].push_back(static_cast<unsigned char>(c));
  }
  out["top_logprobs"] = OutJson::array();
  return out;
}

OutJson control_token() {
  OutJson out = token("");
  out["token"] = "<eos>";
  out["bytes"] = nullptr;
  return out;
}

std::vector<std::string> names(const TokenList& tokens) {
  std::vector<std::string> out;
  for (const OutJson& each : tokens) out.push_back(each["token"]);
  return out;
}

TEST(ShownTokens, ComeWithTheirText) {
  ShownTokens tokens;
  for (const char* text : {"One", ",", " two"}) tokens.add(token(text));
  EXPECT_THAT(names(tokens.show(3)), ElementsAre("One"));
  EXPECT_THAT(names(tokens.show(0)), ElementsAre());
  EXPECT_THAT(names(tokens.show(2)), ElementsAre(",", " two"));
}

TEST(ShownTokens, EndWithTheText) {
  const auto rest = [](const std::string& reason, OutJson last) {
    ShownTokens tokens;
    tokens.add(token("a"));
    (void)tokens.show(1);
    tokens.add(token("\xF0"));
    tokens.add(std::move(last));
    return tokens.finish(reason).size();
  };
  EXPECT_EQ(rest("length", token("b")), 2);
  EXPECT_EQ(rest("stop", control_token()), 1) << "the token that ended it";
  EXPECT_EQ(rest("stop", token("b")), 0) << "a stop text";
}

TEST(CompletionLogprobs, CountsCharactersFromPieceToPiece) {
  CompletionLogprobs columns;
  OutJson first = control_token();
  first["logprob"] = nullptr;
  OutJson best = token("b");
  OutJson second = token("\xC3\xA4");
  second["top_logprobs"].push_back(best);
  const OutJson out = columns.json({first, second});
  EXPECT_EQ(out["tokens"], OutJson({"", "\xC3\xA4"}));
  EXPECT_EQ(out["token_logprobs"], OutJson({nullptr, -1.5}));
  EXPECT_TRUE(out["top_logprobs"][0].is_null());
  EXPECT_EQ(out["top_logprobs"][1].size(), 2);
  EXPECT_EQ(out["text_offset"], OutJson({0, 0}));
  EXPECT_EQ(columns.json({token("x")})["text_offset"], OutJson::array({1}));
}

/// Keeps what was sent.
class Kept final : public Reply {
 public:
  void send(Answer given) override { answer = std::move(given); }
  void begin(Answer given) override {
    answer = std::move(given);
    is_begun = true;
  }
  void write(std::string bytes) override { answer.body += bytes; }
  void end() override { is_ended = true; }
  [[nodiscard]] bool has_begun() const override { return is_begun; }
  void on_gone(std::function<void()> /*call*/) override {}

  Answer answer;
  bool is_begun = false, is_ended = false;
};

ChunkedAnswer::Shape shape(bool has_usage) {
  ChunkedAnswer::Shape out;
  out.head = {{"id", "x"}};
  out.has_usage = has_usage;
  out.more = [](std::size_t choice, const std::string& text,
                const TokenList& /*tokens*/, bool is_first) {
    return OutJson{{"index", choice}, {"text", text}, {"first", is_first}};
  };
  out.over = [](std::size_t choice, const std::string& reason, bool) {
    return OutJson{{"index", choice}, {"reason", reason}};
  };
  return out;
}

const HttpError kLate{.status = 504,
                      .message = "late",
                      .param = {},
                      .code = "deadline_exceeded",
                      .fields = {}};

TEST(ChunkedAnswer, SendsEventsAsTheyCome) {
  const auto reply = std::make_shared<Kept>();
  ChunkedAnswer answer(reply, "/v1/completions", shape(true));
  EXPECT_FALSE(reply->is_begun);
  answer.more(0, "a\n", {});
  EXPECT_TRUE(reply->is_begun);
  EXPECT_EQ(reply->answer.type, "text/event-stream");
  EXPECT_EQ(reply->answer.fields.get("cache-control"), "no-cache");
  answer.more(0, "b", {});
  answer.over(0, "stop");
  answer.done({.prompt_tokens = 2, .cached_tokens = 1, .completion_tokens = 3});
  EXPECT_TRUE(reply->is_ended);
  EXPECT_EQ(
      reply->answer.body,
      R"(data: {"id":"x","choices":[{"index":0,"text":"a\n","first":true}],"usage":null}

data: {"id":"x","choices":[{"index":0,"text":"b","first":false}],"usage":null}

data: {"id":"x","choices":[{"index":0,"reason":"stop"}],"usage":null}

data: {"id":"x","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":1}}}

data: [DONE]

)");
}

TEST(ChunkedAnswer, FailsAsPlainHttpBeforeItBegins) {
  const auto reply = std::make_shared<Kept>();
  ChunkedAnswer answer(reply, "/v1/completions", shape(false));
  answer.failed(kLate);
  EXPECT_FALSE(reply->is_begun);
  EXPECT_EQ(reply->answer.status, 504);
}

TEST(ChunkedAnswer, FailsWithAnEventOnceItHasBegun) {
  const auto reply = std::make_shared<Kept>();
  ChunkedAnswer answer(reply, "/v1/completions", shape(false));
  answer.more(0, "a", {});
  answer.failed(kLate);
  EXPECT_TRUE(reply->is_ended);
  EXPECT_THAT(reply->answer.body, HasSubstr(R"(data: {"error":{"message")"));
  EXPECT_TRUE(reply->answer.body.ends_with("data: [DONE]\n\n"));
}

const ResponseFacts& response_facts() {
  static const ResponseFacts facts{.id = "resp_1",
                                   .message_id = "msg_1",
                                   .created = 7,
                                   .model = "m",
                                   .asked = OutJson::object()};
  return facts;
}

std::vector<OutJson> events_in(const std::string& body) {
  std::vector<OutJson> out;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("data: ")) continue;
    out.push_back(OutJson::parse(line.substr(6)));
    EXPECT_EQ(out.back()["sequence_number"], out.size() - 1);
  }
  return out;
}

std::vector<std::string> kinds_in(const std::string& body) {
  std::vector<std::string> out;
  for (const OutJson& event : events_in(body)) out.push_back(event["type"]);
  return out;
}

TEST(ResponseEvents, AreNumberedAndNamed) {
  const auto reply = std::make_shared<Kept>();
  ResponseEvents events(reply, "/v1/responses", response_facts());
  events.more(0, "a", {});
  events.over(0, "length");
  events.done({.prompt_tokens = 1, .completion_tokens = 1});
  EXPECT_THAT(
      kinds_in(reply->answer.body),
      ElementsAre("response.created", "response.in_progress",
                  "response.output_item.added", "response.content_part.added",
                  "response.output_text.delta", "response.output_text.done",
                  "response.content_part.done", "response.output_item.done",
                  "response.incomplete"));
  EXPECT_THAT(reply->answer.body, HasSubstr("event: response.incomplete\n"));
}

const OutJson kCall{{"id", "call_1"},
                    {"type", "function"},
                    {"function", {{"name", "f"}, {"arguments", "{}"}}}};

TEST(ResponseEvents, OfACallHaveNoMessage) {
  const auto reply = std::make_shared<Kept>();
  ResponseEvents events(reply, "/v1/responses", response_facts());
  events.called(0, kCall);
  events.over(0, "tool_calls");
  events.done({.prompt_tokens = 1, .completion_tokens = 1});
  EXPECT_THAT(kinds_in(reply->answer.body),
              ElementsAre("response.created", "response.in_progress",
                          "response.output_item.added",
                          "response.function_call_arguments.delta",
                          "response.function_call_arguments.done",
                          "response.output_item.done", "response.completed"));
  const OutJson output =
      events_in(reply->answer.body).back()["response"]["output"];
  ASSERT_EQ(output.size(), 1U);
  EXPECT_EQ(output[0]["call_id"], "call_1");
  EXPECT_EQ(output[0]["arguments"], "{}");
}

TEST(ResponseEvents, OfACallBehindWordsHaveBoth) {
  const auto reply = std::make_shared<Kept>();
  ResponseEvents events(reply, "/v1/responses", response_facts());
  events.more(0, "Let me see.", {});
  events.called(0, kCall);
  events.more(0, " There.", {});
  events.over(0, "tool_calls");
  events.done({.prompt_tokens = 1, .completion_tokens = 1});
  const auto all = events_in(reply->answer.body);
  for (const OutJson& event : all) {
    if (!event.contains("item_id")) continue;
    EXPECT_EQ(event["output_index"], event["item_id"] == "msg_1" ? 0 : 1);
  }
  const OutJson output = all.back()["response"]["output"];
  ASSERT_EQ(output.size(), 2U);
  EXPECT_EQ(output[0]["content"][0]["text"], "Let me see. There.");
  EXPECT_EQ(output[0]["status"], "completed");
  EXPECT_EQ(output[1]["name"], "f");
}

TEST(WholeResponse, HasAMessageUnlessThereAreOnlyCalls) {
  const auto kinds_of = [](const Choice& choice) {
    std::string kinds;
    const OutJson response = whole_response(response_facts(), choice, {});
    for (const OutJson& item : response["output"]) {
      kinds += item["type"].get<std::string>() + " ";
    }
    return kinds;
  };
  const auto choice = [](const std::string& text, const OutJson& calls) {
    return Choice{.text = text, .tokens = {}, .reason = "stop", .calls = calls};
  };
  const OutJson calls = OutJson::array({kCall, kCall});
  EXPECT_EQ(kinds_of(choice("", OutJson::array())), "message ");
  EXPECT_EQ(kinds_of(choice("", calls)), "function_call function_call ");
  EXPECT_EQ(kinds_of(choice("a", calls)),
            "message function_call function_call ");
}

TEST(ErrorOf, TellsTheClientsMistakesFromOurs) {
  const auto of = [](const char* stage, const std::string& text) {
    Report report;
    report.ending = Ending::kError;
    report.error = Error(Code::kData, text);
    report.error->in(
        {.kind = Place::Kind::kStage, .name = stage, .detail = "x"});
    return error_of(report, {.prompt = "prompt"}, 512);
  };
  const auto long_one = of("preprocess",
                           "the prompt has 600 tokens, the most is 511; "
                           "shorten it, or pass --set");
  const auto wide = of("batch",
                       "the request runs 64 branches at once, but "
                       "max_sequences is 8");
  EXPECT_EQ(wide.status, 400);
  EXPECT_EQ(wide.param, "n");
  EXPECT_EQ(long_one.status, 400);
  EXPECT_EQ(long_one.param, "prompt");
  EXPECT_EQ(long_one.code, "context_length_exceeded");
  EXPECT_THAT(long_one.message, HasSubstr("512"));
  EXPECT_THAT(long_one.message, ::testing::Not(HasSubstr("--set")));
  EXPECT_EQ(of("preprocess", "no template").param, "prompt");
  EXPECT_EQ(of("decode", "logit_bias: id 9").param, "logit_bias");
  EXPECT_EQ(of("forward", "/models/x is broken").status, 500);
  Report late;
  late.ending = Ending::kDeadline;
  EXPECT_EQ(error_of(late, {.prompt = "prompt"}, 0).status, 504);
}

TEST(NewId, IsAnotherEachTime) { EXPECT_NE(new_id("a-"), new_id("a-")); }

}  // namespace
}  // namespace penstock::serve

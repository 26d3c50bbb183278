// /v1/chat/completions: conversations.
#include <utility>

#include "pipeline_serve/api/openai/conversation.h"
#include "pipeline_serve/api/openai/form.h"
#include "pipeline_serve/api/openai/text_request.h"
#include "pipeline_serve/api/openai/tool_request.h"

namespace penstock::serve {
namespace {

constexpr std::int64_t kMostLogprobs = 20;

const Members& members() {
  static const Members all{
      .own = {"model", "messages", "stream", "stream_options", "logprobs",
              "top_logprobs", "tools", "tool_choice", "parallel_tool_calls",
              "response_format"},
      .options = {"max_tokens", "max_completion_tokens", "min_tokens",
                  "temperature", "top_p", "top_k", "min_p", "seed", "n", "stop",
                  "stop_token_ids", "ignore_eos", "frequency_penalty",
                  "presence_penalty", "repetition_penalty", "logit_bias"}};
  return all;
}

Generation chat_of(const Body& body, const TextModel& model, bool is_streamed) {
  const JsonView given = body.at("messages");
  Json messages = reading([&] { return messages_of_chat(given); });
  std::map<std::string, Value> inputs{{"messages", std::move(messages)}};
  Options options = options_of(body, model, members().options);
  const bool has_tools =
      add_tools(body, ToolShape::kOfChat, model, inputs, options);
  const bool has_logprobs = body.flag("logprobs");
  const auto best = body.integer("top_logprobs", 0, kMostLogprobs);
  if (best.value_or(0) > 0 && !has_logprobs) {
    throw HttpError(
        bad_request("top_logprobs is only for logprobs: true", "top_logprobs"));
  }
  if (has_logprobs) {
    set_option(options, model, "logprobs", best.value_or(0), "logprobs");
  }
  const std::string schema_param = add_form_of_chat(body, model, options);
  if (has_tools && is_streamed && model.option("calls_in_parts") != nullptr) {
    options["calls_in_parts"] = RawScalar{.text = "true"};
  }
  if (has_tools) check_beside_tools(options, "response_format", "logprobs");
  lift_limit(options, model);
  Generation out = generation_of(body, model, {std::move(inputs)}, options);
  out.has_logprobs = has_logprobs;
  out.blamed = {.prompt = "messages", .schema = schema_param};
  return out;
}

OutJson head_of(const TextModel& model, bool is_chunk) {
  return {{"id", new_id("chatcmpl-")},
          {"object", is_chunk ? "chat.completion.chunk" : "chat.completion"},
          {"created", now_s()},
          {"model", model.name()}};
}

OutJson logprobs_json(const TokenList& tokens) {
  return {{"content", tokens}, {"refusal", nullptr}};
}

ChoiceShape choice_shape(bool has_logprobs) {
  return [has_logprobs](std::size_t index, const Choice& each) {
    OutJson choice{{"index", index}};
    const bool is_call = !each.calls.empty();
    choice["message"] = {
        {"role", "assistant"},
        {"content",
         is_call && each.text.empty() ? OutJson() : OutJson(each.text)},
        {"refusal", nullptr}};
    if (is_call) choice["message"]["tool_calls"] = each.calls;
    choice["logprobs"] = has_logprobs ? logprobs_json(each.tokens) : OutJson();
    choice["finish_reason"] = each.reason;
    return choice;
  };
}

OutJson chunk_choice(std::size_t index, OutJson delta, OutJson logprobs,
                     const OutJson& reason) {
  return {{"index", index},
          {"delta", std::move(delta)},
          {"logprobs", std::move(logprobs)},
          {"finish_reason", reason}};
}

OutJson call_delta(std::size_t number, const OutJson& call) {
  OutJson numbered{{"index", number}};
  numbered.update(call);
  return {{"tool_calls", OutJson::array({std::move(numbered)})}};
}

ChunkedAnswer::Shape chunk_shape(OutJson head, bool has_logprobs) {
  ChunkedAnswer::Shape shape;
  shape.head = std::move(head);
  shape.more = [=](std::size_t choice, const std::string& text,
                   const TokenList& tokens, bool is_first) {
    OutJson delta = OutJson::object();
    if (is_first) delta["role"] = "assistant";
    delta["content"] = text;
    return chunk_choice(choice, std::move(delta),
                        has_logprobs ? logprobs_json(tokens) : OutJson(), {});
  };
  shape.called = [](std::size_t choice, std::size_t number, const OutJson& call,
                    bool is_first) {
    OutJson delta = call_delta(number, call);
    if (is_first) delta.update({{"role", "assistant"}, {"content", nullptr}});
    return chunk_choice(choice, std::move(delta), {}, {});
  };
  shape.called_more = [](std::size_t choice, std::size_t number,
                         const OutJson& more) {
    return chunk_choice(choice, call_delta(number, more), {}, {});
  };
  shape.over = [](std::size_t choice, const std::string& reason,
                  bool is_first) {
    OutJson delta = OutJson::object();
    if (is_first) delta = {{"role", "assistant"}, {"content", ""}};
    return chunk_choice(choice, std::move(delta), {}, reason);
  };
  return shape;
}

void chat(const Models& models, const Call& call) {
  const Body body(call.request.body);
  const TextModel model = model_of(body, models, /*must_chat=*/true);
  check_members(body, members());
  const Streaming streaming = streaming_of(body);
  Generation generation = chat_of(body, model, streaming.is_on);
  auto listener = listener_of(
      call, streaming, generation.n, choice_shape(generation.has_logprobs),
      chunk_shape(head_of(model, streaming.is_on), generation.has_logprobs));
  generate(model, std::move(generation), std::move(listener), call);
}

}  // namespace

void add_chat(const Api& api) {
  const Models& models = api.models;
  api.router.add(
      {.method = "POST",
       .pattern = "/v1/chat/completions",
       .handler = [&models](const Call& call) { chat(models, call); }});
}

}  // namespace penstock::serve

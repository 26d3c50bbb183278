#include "pipeline_run/input/openai_request.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "penstock/params.h"
#include "pipeline_run/input/openai_names.h"
#include "pipeline_run/input/tool_choice.h"

namespace penstock::run {
namespace {

using Object = JsonValue::Object;

/// What changes no answer here.
constexpr std::array kIgnored{"user",
                              "metadata",
                              "store",
                              "service_tier",
                              "safety_identifier",
                              "prompt_cache_key",
                              "prompt_cache_retention",
                              "prediction"};
/// What has a rule of its own below.
constexpr std::array kOwn{
    "model",        "messages",        "tools",
    "tool_choice",  "prompt",          "logprobs",
    "top_logprobs", "response_format", "parallel_tool_calls"};

std::vector<std::string> body_keys() {
  std::vector<std::string> all(kOwn.begin(), kOwn.end());
  for (const auto& option : openai_options()) all.push_back(option.theirs);
  for (const auto& each : openai_defaults()) all.push_back(each.name);
  return all;
}

/// Chat: true and top_logprobs; completions: how many.
void take_logprobs(const JsonView& body, bool is_chat, Object& options) {
  const auto found = body.find("logprobs");
  if (!found) return;
  if (!is_chat) {
    options.push_back({"logprobs", found->value()});
  } else if (found->boolean()) {
    const auto best = body.find("top_logprobs");
    options.push_back(
        {"logprobs", best ? best->value() : JsonValue{std::int64_t{0}}});
  }
}

void take_messages(const JsonView& body, Object& own) {
  own.push_back({"messages", body.at("messages").value()});
}

/// With "none" it is as if there were no tools.
void take_tools(const JsonView& body, Object& own, Object& options) {
  const auto choice = body.find("tool_choice");
  const auto tools = body.find("tools");
  if (choice && choice->is_text() && choice->text() == "none") return;
  const bool has_tools = tools && !tools->items().empty();
  if (has_tools) own.push_back({"tools", tools->value()});
  const bool is_auto = choice && choice->is_text() && choice->text() == "auto";
  if (choice && !is_auto) {
    if (!has_tools) choice->fail("asks for a call, but there are no tools");
    options.push_back({"tool_choice", {tool_choice_option(*choice)}});
  }
  const auto are_many = body.find("parallel_tool_calls");
  if (are_many && !are_many->boolean() && has_tools) {
    options.push_back({"parallel_tool_calls", {false}});
  }
}

/// A text, or token ids; or a list of one of these.
void take_prompt(const JsonView& body, Object& own) {
  auto prompt = body.find("prompt");
  const auto is_one_of = [&](const auto& is_kind) {
    return prompt && prompt->is_array() && prompt->items().size() == 1 &&
           is_kind(prompt->items()[0]);
  };
  if (is_one_of([](const JsonView& v) { return v.is_text() || v.is_array(); }))
    prompt = prompt->items()[0];
  const bool is_ids = prompt && prompt->is_array() &&
                      !prompt->items().empty() &&
                      prompt->items()[0].is_integer();
  if (!prompt || (!prompt->is_text() && !is_ids)) {
    body.fail(
        "has no 'prompt' of one text or one list of token ids; several prompts "
        "are lines of their own");
  }
  own.push_back({is_ids ? "token_ids" : "text", prompt->value()});
}

template <class Names>
bool has(const Names& names, const std::string& key) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

void take_option(const std::string& key, const JsonView& value,
                 Object& options) {
  if (value.value().data.index() == 0 || has(kIgnored, key) || has(kOwn, key))
    return;
  for (const OpenAiOption& option : openai_options()) {
    if (key != option.theirs) continue;
    options.push_back({option.ours, value.value()});
    return;
  }
  for (const OpenAiDefault& field : openai_defaults()) {
    if (key == field.name) return check_default(field, value);
  }
  value.fail("is not known here" + suggestion(key, body_keys()));
}

}  // namespace

JsonValue from_openai(const JsonView& line, OpenAiCall& call) {
  const std::vector<std::string> known{"custom_id", "method", "url", "body"};
  for (const auto& [key, value] : line.members()) {
    if (!has(known, key)) {
      value.fail("is not known beside custom_id" + suggestion(key, known));
    }
  }
  const JsonView url = line.at("url");
  call.is_chat = url.text() == "/v1/chat/completions";
  if (!call.is_chat && url.text() != "/v1/completions") {
    url.fail(str("is '", url.text().substr(0, 64),
                 "', expected /v1/chat/completions or /v1/completions"));
  }
  const auto method = line.find("method");
  if (method && method->text() != "POST") method->fail("is not POST");
  const JsonView body = line.at("body");
  if (const auto model = body.find("model")) call.model = model->text();
  Object own;
  Object options;
  if (call.is_chat) {
    take_messages(body, own);
    take_tools(body, own, options);
  } else {
    take_prompt(body, own);
  }
  take_logprobs(body, call.is_chat, options);
  if (const auto format = body.find("response_format")) {
    options.push_back({"response_format", format->value()});
  }
  for (const auto& [key, value] : body.members()) {
    take_option(key, value, options);
  }
  own.push_back({"options", {std::move(options)}});
  return {std::move(own)};
}

}  // namespace penstock::run

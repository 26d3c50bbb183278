#include "pipeline_run/input/openai_request.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "penstock/params.h"
#include "pipeline_run/input/openai_names.h"

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
constexpr std::array kOwn{"model",  "messages", "tools",       "tool_choice",
                          "prompt", "logprobs", "top_logprobs"};

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

/// "none": as if there were no tools.
bool uses_tools(const JsonView& body) {
  const auto choice = body.find("tool_choice");
  if (!choice) return true;
  if (choice->is_text() && choice->text() == "auto") return true;
  if (choice->is_text() && choice->text() == "none") return false;
  choice->fail("is neither auto nor none: no tool can be forced here");
}

void take_messages(const JsonView& body, Object& own) {
  own.push_back({"messages", body.at("messages").value()});
  const auto tools = body.find("tools");
  if (uses_tools(body) && tools) own.push_back({"tools", tools->value()});
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
  } else {
    take_prompt(body, own);
  }
  take_logprobs(body, call.is_chat, options);
  for (const auto& [key, value] : body.members()) {
    take_option(key, value, options);
  }
  own.push_back({"options", {std::move(options)}});
  return {std::move(own)};
}

}  // namespace penstock::run

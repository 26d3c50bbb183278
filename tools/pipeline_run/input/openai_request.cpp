#include "pipeline_run/input/openai_request.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "penstock/params.h"
#include "pipeline_run/input/json_text.h"

namespace penstock::run {
namespace {

using Object = JsonValue::Object;

/// Their name of an option and ours.
struct Name {
  const char* theirs;
  const char* ours;
};
constexpr std::array kOptions{Name{"max_tokens", "max_new_tokens"},
                              Name{"max_completion_tokens", "max_new_tokens"},
                              Name{"min_tokens", "min_new_tokens"},
                              Name{"temperature", "temperature"},
                              Name{"top_p", "top_p"},
                              Name{"top_k", "top_k"},
                              Name{"min_p", "min_p"},
                              Name{"seed", "seed"},
                              Name{"n", "n"},
                              Name{"stop", "stop"},
                              Name{"stop_token_ids", "stop_ids"},
                              Name{"ignore_eos", "ignore_eos"},
                              Name{"frequency_penalty", "frequency_penalty"},
                              Name{"presence_penalty", "presence_penalty"},
                              Name{"repetition_penalty", "repetition_penalty"},
                              Name{"logit_bias", "logit_bias"}};
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

/// A field that says nothing with the API's own default, and else asks for
/// what there is not here.
struct Default {
  const char* name;
  std::vector<const char*> values;  ///< as JSON; null always is one
};
const std::vector<Default> kDefaults{
    {"stream", {"false"}},
    {"stream_options", {}},
    {"response_format", {R"({"type":"text"})"}},
    {"modalities", {R"(["text"])"}},
    {"audio", {}},
    {"functions", {"[]"}},
    {"function_call", {R"("none")", R"("auto")"}},
    {"parallel_tool_calls", {"true"}},
    {"reasoning_effort", {R"("medium")", R"("none")"}},
    {"verbosity", {R"("medium")"}},
    {"web_search_options", {}},
    {"best_of", {"1"}},
    {"echo", {"false"}},
    {"suffix", {R"("")"}},
    // Other servers' own.
    {"add_generation_prompt", {"true"}},
    {"continue_final_message", {"false"}},
    {"include_stop_str_in_output", {"false"}},
    {"length_penalty", {"1", "1.0"}},
    {"skip_special_tokens", {"true"}},
    {"use_beam_search", {"false"}}};

std::vector<std::string> body_keys() {
  std::vector<std::string> all(kOwn.begin(), kOwn.end());
  for (const Name& name : kOptions) all.emplace_back(name.theirs);
  for (const Default& each : kDefaults) all.emplace_back(each.name);
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

void take_prompt(const JsonView& body, Object& own) {
  const auto prompt = body.find("prompt");
  const bool is_list =
      prompt && prompt->is_array() && prompt->items().size() == 1;
  const auto one = is_list ? prompt->items()[0] : prompt;
  if (!one || !one->is_text()) {
    body.fail(
        "has no 'prompt' of one text; token ids and several prompts are lines "
        "of their own");
  }
  own.push_back({"text", one->value()});
}

template <class Names>
bool has(const Names& names, const std::string& key) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

void check_default(const Default& field, const JsonView& value) {
  if (has(field.values, json_text(value.value()))) return;
  value.fail(str("asks for what there is not here; leave it out",
                 field.values.empty() ? "" : ", or write ",
                 field.values.empty() ? "" : field.values[0]));
}

void take_option(const std::string& key, const JsonView& value,
                 Object& options) {
  if (value.value().data.index() == 0 || has(kIgnored, key) || has(kOwn, key))
    return;
  for (const Name& name : kOptions) {
    if (key != name.theirs) continue;
    options.push_back({name.ours, value.value()});
    return;
  }
  for (const Default& field : kDefaults) {
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

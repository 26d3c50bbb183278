#include "pipeline_run/input/openai.h"

#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "penstock/params.h"

namespace penstock::run {
namespace {

using In = nlohmann::json;
using Out = nlohmann::ordered_json;

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
/// What changes nothing here.
constexpr std::array kIgnored{"user", "metadata", "store", "service_tier"};
/// What has a rule of its own below.
constexpr std::array kOwn{"model",    "messages",     "tools", "prompt",
                          "logprobs", "top_logprobs", "stream"};

std::vector<std::string> body_keys() {
  std::vector<std::string> all(kOwn.begin(), kOwn.end());
  for (const Name& name : kOptions) all.emplace_back(name.theirs);
  return all;
}

[[noreturn]] void complain(const std::string& text) {
  throw Error(Code::kData, text);
}

const In& member(const In& object, const char* key, In::value_t type,
                 const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) complain(str("'", where, key, "' is missing"));
  if (found->type() != type) {
    complain(str("'", where, key, "' is ", found->type_name(), ", expected ",
                 In(type).type_name()));
  }
  return *found;
}

/// Chat: true and top_logprobs; completions: how many.
void take_logprobs(const In& body, bool is_chat, In& options) {
  const auto found = body.find("logprobs");
  if (found == body.end() || found->is_null()) return;
  if (!is_chat) {
    options["logprobs"] = *found;
  } else if (!found->is_boolean()) {
    complain("'body.logprobs' is not true or false");
  } else if (found->get<bool>()) {
    options["logprobs"] = body.value("top_logprobs", In(0));
  }
}

void take_prompt(const In& body, bool is_chat, In& own) {
  if (is_chat) {
    own["messages"] = member(body, "messages", In::value_t::array, "body.");
    if (body.contains("tools")) own["tools"] = body["tools"];
    return;
  }
  In prompt = body.value("prompt", In());
  if (prompt.is_array() && prompt.size() == 1) prompt = In(prompt[0]);
  if (!prompt.is_string()) {
    complain(
        "'body.prompt' is not one text; token ids and several prompts "
        "are lines of their own");
  }
  own["text"] = std::move(prompt);
}

void take_option(const std::string& key, const In& value, In& options) {
  for (const Name& name : kOptions) {
    if (key != name.theirs) continue;
    if (!value.is_null()) options[name.ours] = value;
    return;
  }
  for (const char* ignored : kIgnored) {
    if (key == ignored) return;
  }
  for (const char* own : kOwn) {
    if (key == own) return;
  }
  complain(
      str("'body.", key, "' is not known here", suggestion(key, body_keys())));
}

int status(Code code) {
  switch (code) {
    case Code::kUsage:
    case Code::kData:
      return 400;
    case Code::kNotFound:
      return 404;
    case Code::kRetry:
    case Code::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

/// What the pieces of a branch say under `key`; null: nothing.
Out piece(const Written& written, const char* key) {
  Out all;
  for (const std::string& text : written.json) {
    Out part = Out::parse(text);
    if (!part.is_object() || !part.contains(key)) continue;
    for (Out& token : part[key]["content"]) all.push_back(std::move(token));
  }
  return all;
}

/// As /v1/completions has them: lists side by side.
Out columns(const Out& tokens) {
  Out out{{"tokens", Out::array()},
          {"token_logprobs", Out::array()},
          {"top_logprobs", Out::array()}};
  for (const Out& token : tokens) {
    out["tokens"].push_back(token["token"]);
    out["token_logprobs"].push_back(token["logprob"]);
    Out best = Out::object();
    for (const Out& each : token["top_logprobs"]) {
      best[each["token"].get<std::string>()] = each["logprob"];
    }
    out["top_logprobs"].push_back(std::move(best));
  }
  return out;
}

Out choice(const OpenAiCall& call, std::size_t index, const Branch& branch,
           const std::map<int, Written>& branches) {
  static const Written nothing;
  const auto found = branches.find(static_cast<int>(index));
  const Written& written = found == branches.end() ? nothing : found->second;
  const Out tokens = piece(written, "logprobs");
  Out out{{"index", index}};
  if (call.is_chat) {
    out["message"] = {{"role", "assistant"}, {"content", written.text}};
    out["logprobs"] = tokens.is_null() ? Out() : Out{{"content", tokens}};
  } else {
    out["text"] = written.text;
    out["logprobs"] = tokens.is_null() ? Out() : columns(tokens);
  }
  out["finish_reason"] = branch.finish_reason;
  return out;
}

Out body(const Request& request, const OpenAiCall& call, const Report& report,
         const std::map<int, Written>& branches) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  Out out{{"id", (call.is_chat ? "chatcmpl-" : "cmpl-") + request.id},
          {"object", call.is_chat ? "chat.completion" : "text_completion"},
          {"created",
           std::chrono::duration_cast<std::chrono::seconds>(now).count()},
          {"model", call.model},
          {"choices", Out::array()}};
  std::size_t made = 0;
  for (std::size_t i = 0; i < report.branches.size(); ++i) {
    made += report.branches[i].token_ids.size();
    out["choices"].push_back(choice(call, i, report.branches[i], branches));
  }
  const auto prompt = static_cast<std::size_t>(report.prompt_tokens);
  out["usage"] = {{"prompt_tokens", prompt},
                  {"completion_tokens", made},
                  {"total_tokens", prompt + made}};
  return out;
}

Out failure(const Error& error) {
  return {{"error",
           {{"message", error.what()},
            {"type", status(error.code()) == 400 ? "invalid_request_error"
                                                 : "server_error"},
            {"code", to_string(error.code())}}}};
}

}  // namespace

bool is_openai(const In& line) { return line.contains("custom_id"); }

In from_openai(const In& line, OpenAiCall& call) {
  using Type = In::value_t;
  for (const auto& [key, value] : line.items()) {
    if (key == "custom_id" || key == "method" || key == "url" ||
        key == "body") {
      continue;
    }
    complain(str("unknown key '", key.substr(0, 64), "' beside custom_id",
                 suggestion(key, {"method", "url", "body"})));
  }
  const std::string url = member(line, "url", Type::string, "");
  call.is_chat = url == "/v1/chat/completions";
  if (!call.is_chat && url != "/v1/completions") {
    complain(str("'url' is '", url.substr(0, 64),
                 "', expected /v1/chat/completions or /v1/completions"));
  }
  if (line.value("method", In("POST")) != In("POST")) {
    complain("'method' is not POST");
  }
  const In& body = member(line, "body", Type::object, "");
  if (body.contains("model")) {
    call.model = member(body, "model", Type::string, "body.");
  }
  if (body.value("stream", In(false)) == In(true)) {
    complain("'body.stream' is true; results of a batch are whole");
  }
  In own = In::object();
  In options = In::object();
  take_prompt(body, call.is_chat, own);
  take_logprobs(body, call.is_chat, options);
  for (const auto& [key, value] : body.items()) {
    take_option(key, value, options);
  }
  own["options"] = std::move(options);
  return own;
}

std::string openai_line(const Request& request, const OpenAiCall& call,
                        const Report& report,
                        const std::map<int, Written>& branches) {
  Out line{{"id", "batch_req_" + request.id}, {"custom_id", request.id}};
  Out& response = line["response"];
  response["status_code"] = report.error ? status(report.error->code()) : 200;
  response["request_id"] = "req_" + request.id;
  response["body"] = report.error ? failure(*report.error)
                                  : body(request, call, report, branches);
  line["error"] = nullptr;
  return line.dump(-1, ' ', false, Out::error_handler_t::replace) + "\n";
}

}  // namespace penstock::run

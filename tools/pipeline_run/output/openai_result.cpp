#include "pipeline_run/output/openai_result.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/http_status.h"

namespace penstock::run {
namespace {

using Out = nlohmann::ordered_json;

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

/// Of tools.
Out calls_of(const Written& written) {
  Out all = Out::array();
  for (const std::string& text : written.json) {
    Out part = Out::parse(text);
    if (!part.is_object() || !part.contains("tool_calls")) continue;
    for (Out& call : part["tool_calls"]) all.push_back(std::move(call));
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
  std::string reason = branch.finish_reason;
  if (call.is_chat) {
    const Out calls = calls_of(written);
    const bool is_call = !calls.empty();
    out["message"] = {
        {"role", "assistant"},
        {"content",
         is_call && written.text.empty() ? Out() : Out(written.text)}};
    if (is_call) out["message"]["tool_calls"] = calls;
    if (is_call && branch.finish_reason != "length") reason = "tool_calls";
    out["logprobs"] = tokens.is_null() ? Out() : Out{{"content", tokens}};
  } else {
    out["text"] = written.text;
    out["logprobs"] = tokens.is_null() ? Out() : columns(tokens);
  }
  out["finish_reason"] = reason;
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
            {"type", http_status(error.code()) == 400 ? "invalid_request_error"
                                                      : "server_error"},
            {"code", to_string(error.code())}}}};
}

}  // namespace

std::string openai_line(const Request& request, const OpenAiCall& call,
                        const Report& report,
                        const std::map<int, Written>& branches) {
  Out line{{"id", "batch_req_" + request.id}, {"custom_id", request.id}};
  Out& response = line["response"];
  response["status_code"] =
      report.error ? http_status(report.error->code()) : 200;
  response["request_id"] = "req_" + request.id;
  response["body"] = report.error ? failure(*report.error)
                                  : body(request, call, report, branches);
  line["error"] = nullptr;
  return line.dump(-1, ' ', false, Out::error_handler_t::replace) + "\n";
}

}  // namespace penstock::run

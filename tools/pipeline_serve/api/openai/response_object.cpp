#include "pipeline_serve/api/openai/response_object.h"

#include <utility>

namespace penstock::serve {
namespace {

std::string status_of(const std::string& reason) {
  return reason == "length" ? "incomplete" : "completed";
}

OutJson usage_of(const Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details",
           {{"cached_tokens", usage.cached_tokens}, {"cache_write_tokens", 0}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", 0}}},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

OutJson ended_response(const ResponseFacts& facts, const std::string& reason,
                       OutJson output, const Usage& usage) {
  const std::string status = status_of(reason);
  OutJson out = response_json(facts, status);
  if (status == "incomplete") {
    out["incomplete_details"] = {{"reason", "max_output_tokens"}};
  }
  out["output"] = std::move(output);
  out["usage"] = usage_of(usage);
  return out;
}

}  // namespace

OutJson response_logprobs(const TokenList& tokens) {
  OutJson out = OutJson::array();
  for (OutJson token : tokens) {
    if (token["bytes"].is_null()) token["bytes"] = OutJson::array();
    for (OutJson& each : token["top_logprobs"]) {
      if (each["bytes"].is_null()) each["bytes"] = OutJson::array();
    }
    out.push_back(std::move(token));
  }
  return out;
}

OutJson text_part(const std::string& text, const TokenList& tokens) {
  return {{"type", "output_text"},
          {"annotations", OutJson::array()},
          {"logprobs", response_logprobs(tokens)},
          {"text", text}};
}

OutJson message_item(const ResponseFacts& facts, const std::string& status,
                     const OutJson& content) {
  return {{"id", facts.message_id},
          {"type", "message"},
          {"status", status},
          {"role", "assistant"},
          {"content", content}};
}

OutJson call_item(const OutJson& call) {
  return {{"id", new_id("fc_")},
          {"type", "function_call"},
          {"status", "completed"},
          {"call_id", call.at("id")},
          {"name", call.at("function").at("name")},
          {"arguments", call.at("function").at("arguments")}};
}

OutJson response_json(const ResponseFacts& facts, const std::string& status) {
  OutJson out{{"id", facts.id},
              {"object", "response"},
              {"created_at", facts.created},
              {"status", status},
              {"background", false},
              {"error", nullptr},
              {"incomplete_details", nullptr},
              {"model", facts.model},
              {"output", OutJson::array()},
              {"usage", nullptr}};
  out.update(facts.asked);
  return out;
}

OutJson whole_response(const ResponseFacts& facts, const Choice& choice,
                       const Usage& usage) {
  OutJson output = OutJson::array();
  if (!choice.text.empty() || choice.calls.empty()) {
    output.push_back(
        message_item(facts, status_of(choice.reason),
                     OutJson::array({text_part(choice.text, choice.tokens)})));
  }
  for (const OutJson& call : choice.calls) output.push_back(call_item(call));
  return ended_response(facts, choice.reason, std::move(output), usage);
}

void ResponseEvents::send(const std::string& type, OutJson fields) {
  OutJson event{{"type", type}, {"sequence_number", number_++}};
  event.update(fields);
  events_.send(event, type);
}

void ResponseEvents::send_of_part(const std::string& type, OutJson fields) {
  OutJson all{{"item_id", facts_.message_id},
              {"output_index", *message_},
              {"content_index", 0}};
  all.update(fields);
  send(type, std::move(all));
}

void ResponseEvents::begin() {
  if (events_.has_begun()) return;
  const OutJson response = response_json(facts_, "in_progress");
  send("response.created", {{"response", response}});
  send("response.in_progress", {{"response", response}});
}

void ResponseEvents::begin_message() {
  begin();
  if (message_) return;
  message_ = output_.size();
  output_.push_back(message_item(facts_, "in_progress", OutJson::array()));
  send("response.output_item.added",
       {{"output_index", *message_}, {"item", output_.back()}});
  send_of_part("response.content_part.added", {{"part", text_part("", {})}});
}

void ResponseEvents::more(std::size_t /*choice*/, const std::string& text,
                          const TokenList& tokens) {
  begin_message();
  choice_.text += text;
  choice_.tokens.insert(choice_.tokens.end(), tokens.begin(), tokens.end());
  send_of_part("response.output_text.delta",
               {{"delta", text}, {"logprobs", response_logprobs(tokens)}});
}

void ResponseEvents::called(std::size_t /*choice*/, const OutJson& call) {
  begin();
  const OutJson item = call_item(call);
  const std::size_t place = output_.size();
  output_.push_back(item);
  OutJson empty = item;
  empty["status"] = "in_progress";
  empty["arguments"] = "";
  send("response.output_item.added",
       {{"output_index", place}, {"item", std::move(empty)}});
  const OutJson of_call{{"item_id", item["id"]}, {"output_index", place}};
  OutJson delta = of_call, done = of_call;
  delta["delta"] = item["arguments"];
  send("response.function_call_arguments.delta", std::move(delta));
  done.update({{"name", item["name"]}, {"arguments", item["arguments"]}});
  send("response.function_call_arguments.done", std::move(done));
  send("response.output_item.done", {{"output_index", place}, {"item", item}});
}

void ResponseEvents::over(std::size_t /*choice*/, const std::string& reason) {
  choice_.reason = reason;
}

void ResponseEvents::end_message(const std::string& status) {
  const OutJson part = text_part(choice_.text, choice_.tokens);
  send_of_part("response.output_text.done",
               {{"text", choice_.text}, {"logprobs", part["logprobs"]}});
  send_of_part("response.content_part.done", {{"part", part}});
  output_[*message_] = message_item(facts_, status, OutJson::array({part}));
  send("response.output_item.done",
       {{"output_index", *message_}, {"item", output_[*message_]}});
}

void ResponseEvents::done(const Usage& usage) {
  const std::string status = status_of(choice_.reason);
  if (output_.empty()) begin_message();
  if (message_) end_message(status);
  send("response." + status,
       {{"response",
         ended_response(facts_, choice_.reason, std::move(output_), usage)}});
  events_.end();
}

void ResponseEvents::failed(const HttpError& error) {
  if (!events_.has_begun()) return reply_->send(answer_of(error, path_));
  OutJson response = response_json(facts_, "failed");
  response["error"] = {{"code", "server_error"}, {"message", error.message}};
  send("response.failed", {{"response", std::move(response)}});
  events_.end();
}

}  // namespace penstock::serve

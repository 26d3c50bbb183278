#include "pipeline_serve/api/openai/answers.h"

#include <chrono>
#include <random>
#include <string_view>
#include <utility>

#include "pipeline_serve/api/openai/random.h"

namespace penstock::serve {
namespace {

/// How a stream of chunks ends.
constexpr const char* kLast = "data: [DONE]\n\n";

/// {head, choices, usage}.
WholeAnswer::Shape whole_shape(OutJson head, ChoiceShape choice) {
  return [head = std::move(head), choice = std::move(choice)](
             const std::vector<Choice>& choices, const Usage& usage) {
    OutJson out = head;
    out["choices"] = OutJson::array();
    for (std::size_t i = 0; i < choices.size(); ++i) {
      out["choices"].push_back(choice(i, choices[i]));
    }
    out["usage"] = usage_json(usage);
    return out;
  };
}

}  // namespace

std::string new_id(const std::string& prefix) {
  constexpr std::string_view kLetters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::uniform_int_distribution<std::size_t> draw(0, kLetters.size() - 1);
  std::string id = prefix;
  for (int i = 0; i < 24; ++i) id += kLetters[draw(random_engine())];
  return id;
}

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

OutJson usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

void WholeAnswer::more(std::size_t choice, const std::string& text,
                       const TokenList& tokens) {
  Choice& to = choices_.at(choice);
  to.text += text;
  to.tokens.insert(to.tokens.end(), tokens.begin(), tokens.end());
}

void WholeAnswer::called(std::size_t choice, const OutJson& call) {
  choices_.at(choice).calls.push_back(call);
}

void WholeAnswer::over(std::size_t choice, const std::string& reason) {
  choices_.at(choice).reason = reason;
}

void WholeAnswer::done(const Usage& usage) {
  Answer answer;
  answer.body = json_text(shape_(choices_, usage));
  reply_->send(std::move(answer));
}

void WholeAnswer::failed(const HttpError& error) {
  reply_->send(answer_of(error, path_));
}

void ChunkedAnswer::send(OutJson choices, const OutJson& usage) {
  OutJson chunk = shape_.head;
  chunk["choices"] = std::move(choices);
  if (shape_.has_usage) chunk["usage"] = usage;
  events_.send(chunk);
}

void ChunkedAnswer::more(std::size_t choice, const std::string& text,
                         const TokenList& tokens) {
  const bool is_first = begun_.insert(choice).second;
  send(OutJson::array({shape_.more(choice, text, tokens, is_first)}), {});
}

void ChunkedAnswer::called(std::size_t choice, const OutJson& call) {
  if (!shape_.called) return;
  const bool is_first = begun_.insert(choice).second;
  send(
      OutJson::array({shape_.called(choice, calls_[choice]++, call, is_first)}),
      {});
}

void ChunkedAnswer::called_more(std::size_t choice, const OutJson& more) {
  if (!shape_.called_more) return;
  send(OutJson::array({shape_.called_more(choice, calls_[choice] - 1, more)}),
       {});
}

void ChunkedAnswer::over(std::size_t choice, const std::string& reason) {
  const bool is_first = begun_.insert(choice).second;
  send(OutJson::array({shape_.over(choice, reason, is_first)}), {});
}

void ChunkedAnswer::done(const Usage& usage) {
  if (shape_.has_usage) send(OutJson::array(), usage_json(usage));
  events_.end(kLast);
}

void ChunkedAnswer::failed(const HttpError& error) {
  send_error(*reply_, error, path_, kLast);
}

std::shared_ptr<Listener> listener_of(const Call& call,
                                      const Streaming& streaming,
                                      std::size_t choices, ChoiceShape whole,
                                      ChunkedAnswer::Shape chunks) {
  if (!streaming.is_on) {
    return std::make_shared<WholeAnswer>(
        call.reply, call.request.path, choices,
        whole_shape(std::move(chunks.head), std::move(whole)));
  }
  chunks.has_usage = streaming.has_usage;
  return std::make_shared<ChunkedAnswer>(call.reply, call.request.path,
                                         std::move(chunks));
}

}  // namespace penstock::serve

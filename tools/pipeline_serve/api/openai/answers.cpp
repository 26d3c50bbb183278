#include "pipeline_serve/api/openai/answers.h"

#include <chrono>
#include <random>
#include <string_view>
#include <utility>

#include "pipeline_serve/api/openai/random.h"

namespace penstock::serve {

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
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

OutJson error_json(const HttpError& error) {
  return OutJson::parse(answer_of(error, "/v1/").body);
}

void WholeAnswer::more(std::size_t choice, const std::string& text,
                       const TokenList& tokens) {
  Choice& to = choices_.at(choice);
  to.text += text;
  to.tokens.insert(to.tokens.end(), tokens.begin(), tokens.end());
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

void ChunkedAnswer::over(std::size_t choice, const std::string& reason) {
  const bool is_first = begun_.insert(choice).second;
  send(OutJson::array({shape_.over(choice, reason, is_first)}), {});
}

void ChunkedAnswer::done(const Usage& usage) {
  if (shape_.has_usage) send(OutJson::array(), usage_json(usage));
  events_.end("data: [DONE]\n\n");
}

void ChunkedAnswer::failed(const HttpError& error) {
  if (!events_.has_begun()) return reply_->send(answer_of(error, path_));
  events_.send(error_json(error));
  events_.end("data: [DONE]\n\n");
}

}  // namespace penstock::serve

#include "pipeline_serve/api/openai/completion_logprobs.h"

#include <algorithm>

namespace penstock::serve {
namespace {

/// Characters that begin in these bytes.
std::size_t characters(const std::string& bytes) {
  return static_cast<std::size_t>(std::count_if(
      bytes.begin(), bytes.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// By text: the best ones, and the token itself.
OutJson best_of(const std::string& text, const OutJson& token) {
  if (token["logprob"].is_null()) return nullptr;
  OutJson out = OutJson::object();
  for (const OutJson& each : token["top_logprobs"]) {
    const auto name = each["token"].get<std::string>();
    if (!out.contains(name)) out[name] = each["logprob"];
  }
  out[text] = token["logprob"];
  return out;
}

}  // namespace

OutJson CompletionLogprobs::json(const TokenList& tokens) {
  OutJson out{{"tokens", OutJson::array()},
              {"token_logprobs", OutJson::array()},
              {"top_logprobs", OutJson::array()},
              {"text_offset", OutJson::array()}};
  for (const OutJson& token : tokens) {
    const std::string text =
        token["bytes"].is_null() ? "" : token["token"].get<std::string>();
    out["tokens"].push_back(text);
    out["token_logprobs"].push_back(token["logprob"]);
    out["top_logprobs"].push_back(best_of(text, token));
    out["text_offset"].push_back(offset_);
    offset_ += characters(bytes_of(token));
  }
  return out;
}

}  // namespace penstock::serve

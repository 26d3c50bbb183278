// Log-probabilities as /v1/completions has them: lists side by side.
#pragma once

#include <cstddef>

#include "pipeline_serve/api/openai/shown_tokens.h"

namespace penstock::serve {

/// Of one answer, whose pieces come one after the other.
class CompletionLogprobs {
 public:
  /// {tokens, token_logprobs, top_logprobs, text_offset}. Offsets count the
  /// answer's characters; a control token has no text, and the first token of
  /// a prompt no log-probability.
  [[nodiscard]] OutJson json(const TokenList& tokens);

 private:
  std::size_t offset_ = 0;
};

}  // namespace penstock::serve

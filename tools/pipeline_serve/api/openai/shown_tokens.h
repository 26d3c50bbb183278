// Log-probabilities come with their tokens, text comes later: when characters
// are whole and begin no stop text. Here a token waits for its text, so that
// both are of one length in the answer and in each piece of it.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "pipeline_serve/api/sse.h"

namespace penstock::serve {

/// A token as OpenAI's chat has it: {token, logprob, bytes, top_logprobs}.
using TokenList = std::vector<OutJson>;

/// Its bytes; none of a control token.
[[nodiscard]] std::string bytes_of(const OutJson& token);

/// Of one answer.
class ShownTokens {
 public:
  void add(OutJson token) { waiting_.push_back(std::move(token)); }
  /// So many bytes more of the text are shown: the tokens that begin in it.
  [[nodiscard]] TokenList show(std::size_t bytes);
  /// The answer is over: those that belong to it and were not yet shown. One
  /// that ended it, or a stop text, is none of them.
  [[nodiscard]] TokenList finish(const std::string& reason);

 private:
  [[nodiscard]] TokenList take(std::size_t count);

  std::deque<OutJson> waiting_;
  std::size_t begin_ = 0;  ///< of the first that waits, in bytes
  std::size_t shown_ = 0;
};

}  // namespace penstock::serve

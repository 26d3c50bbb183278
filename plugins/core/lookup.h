// Lookup: guesses a sequence's next tokens from the sequence itself. Where its
// last few tokens stood before, what followed them may follow again: in code,
// tables, quotes and summaries it often does. Forward checks a guess in one
// step, so the answer stays what it would have been. Source: prompt lookup
// decoding, A. Saxena 2023.
//
// A step with a guess is wider, and costs more. Guesses that come true make the
// next ones longer; those that do not make them shorter and then rare.
#pragma once

#include <cstdint>

#include "penstock/value.h"

namespace penstock::core {

/// Of one sequence.
class Lookup {
 public:
  /// `most`: tokens of a guess.
  explicit Lookup(std::int64_t most) : most_(most) {}

  /// At most `room` tokens that may follow `tokens`; often none.
  [[nodiscard]] Tokens guess(const Tokens& tokens, std::int64_t room);
  /// How many of a guess of `guessed` > 0 tokens came true.
  void learn(std::int64_t guessed, std::int64_t came_true);

 private:
  std::int64_t most_, length_ = 2;
  std::int64_t wait_ = 0;       ///< steps until the next guess
  std::int64_t next_wait_ = 1;  ///< after a guess that was all wrong
};

}  // namespace penstock::core

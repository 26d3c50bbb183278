// StepRoom: what is left of a step while it is filled, in tokens.
#pragma once

#include <cstdint>

#include "penstock/sequence.h"

namespace penstock::core {

class StepRoom {
 public:
  struct Limits {
    std::int64_t chunk = 0;   ///< of one sequence
    std::int64_t tokens = 0;  ///< of all together
    /// Of prompts together: what fits into the step's time.
    std::int64_t prompt_tokens = 0;
  };
  explicit StepRoom(const Limits& limits) : left_(limits) {}

  /// Takes what fits of a sequence whose first `done` tokens are computed; 0:
  /// nothing. A prompt with inputs cannot be cut: time alone does not cut it.
  std::int64_t take(const Sequence& sequence, std::int64_t done);

 private:
  Limits left_;
};

/// Whether it has no more than its last token to compute, and guesses.
[[nodiscard]] inline bool is_decoding(const Sequence& sequence,
                                      std::int64_t done) {
  return std::ssize(sequence.tokens) - done == 1;
}

}  // namespace penstock::core

// StepTimes: how long a step will take, learned from those before it, so that
// a step can be filled by time.
#pragma once

#include <cstdint>
#include <optional>

namespace penstock::core {

/// What the time of a step depends on, in tokens.
struct StepLoad {
  std::int64_t decoding = 0;  ///< of sequences that decode, guesses too
  std::int64_t prompt = 0;
};

/// A line for steps that only decode, time by tokens, and above it a rate for
/// each token of a prompt. Both forget, since other programs come and go and
/// long contexts cost more; a single odd step moves them little. One thread.
class StepTimes {
 public:
  void learn(const StepLoad& load, double seconds);
  /// Nothing: no prompt has been seen yet.
  [[nodiscard]] std::optional<double> expected(const StepLoad& load) const;
  /// Of a step that only decodes; 0: none has been seen yet.
  [[nodiscard]] double decoding_s(std::int64_t tokens) const {
    return decoding_.at(static_cast<double>(tokens));
  }
  /// Tokens of prompts beside `decoding` that fill a step of `seconds`; may be
  /// 0. Nothing: no prompt has been seen yet.
  [[nodiscard]] std::optional<std::int64_t> prompt_tokens(std::int64_t decoding,
                                                          double seconds) const;

 private:
  /// Sums of steps that only decoded, the older the less.
  struct Line {
    double steps = 0, tokens = 0, seconds = 0, tokens2 = 0, both = 0;

    void add(double token_count, double time);
    [[nodiscard]] double at(double token_count) const;  ///< 0: nothing added
  };

  Line decoding_;
  double prompt_token_s_ = 0;  ///< 0: unknown
};

}  // namespace penstock::core

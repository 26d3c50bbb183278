#include "core/step_times.h"

#include <algorithm>
#include <cmath>

namespace penstock::core {
namespace {

/// What a step keeps of its weight when the next one comes.
constexpr double kKeeps = 0.95;
/// How much of the rate a step with enough tokens of prompt replaces; one with
/// fewer says as much less, since what is not theirs blurs it.
constexpr double kLearns = 0.15;
constexpr double kEnoughTokens = 64;
/// A step that took so many times longer than foreseen, or shorter, counts as
/// if it had been that far off: another program had the core.
constexpr double kFarOff = 2;
/// Of a mixed step's time at least so much is the prompt's, whatever the line
/// says.
constexpr double kLeastShare = 0.05;
/// Spread of token counts, squared, below which the line is a constant.
constexpr double kLittleSpread = 0.25;

double within(double seconds, double foreseen) {
  if (foreseen <= 0) return seconds;
  return std::clamp(seconds, foreseen / kFarOff, foreseen * kFarOff);
}

}  // namespace

void StepTimes::Line::add(double token_count, double time) {
  for (double* sum : {&steps, &tokens, &seconds, &tokens2, &both}) {
    *sum *= kKeeps;
  }
  steps += 1;
  tokens += token_count;
  seconds += time;
  tokens2 += token_count * token_count;
  both += token_count * time;
}

double StepTimes::Line::at(double token_count) const {
  if (steps <= 0) return 0;
  const double mean_tokens = tokens / steps;
  const double mean_seconds = seconds / steps;
  const double spread = tokens2 / steps - mean_tokens * mean_tokens;
  const double together = both / steps - mean_tokens * mean_seconds;
  // Never falling, and never below 0 where nothing decodes.
  const double slope = std::clamp(together / (spread + kLittleSpread), 0.0,
                                  mean_seconds / std::max(1.0, mean_tokens));
  return std::max(0.0, mean_seconds + slope * (token_count - mean_tokens));
}

void StepTimes::learn(const StepLoad& load, double seconds) {
  const double base = decoding_.at(static_cast<double>(load.decoding));
  if (load.prompt == 0) {
    decoding_.add(static_cast<double>(load.decoding), within(seconds, base));
    return;
  }
  const auto prompt = static_cast<double>(load.prompt);
  if (const auto foreseen = expected(load)) {
    seconds = within(seconds, *foreseen);
  }
  const double rate = std::max(seconds - base, kLeastShare * seconds) / prompt;
  if (prompt_token_s_ <= 0) {
    prompt_token_s_ = rate;
  } else {
    const double weight = std::min(1.0, prompt / kEnoughTokens);
    prompt_token_s_ += kLearns * weight * (rate - prompt_token_s_);
  }
}

std::optional<double> StepTimes::expected(const StepLoad& load) const {
  if (prompt_token_s_ <= 0) return {};
  return decoding_.at(static_cast<double>(load.decoding)) +
         prompt_token_s_ * static_cast<double>(load.prompt);
}

std::optional<std::int64_t> StepTimes::prompt_tokens(std::int64_t decoding,
                                                     double seconds) const {
  if (prompt_token_s_ <= 0) return {};
  const double left = seconds - decoding_.at(static_cast<double>(decoding));
  if (left <= 0) return 0;
  // No step has so many tokens; a rate may be as small as a clock's tick.
  constexpr double kMost = 1 << 30;
  return static_cast<std::int64_t>(std::min(left / prompt_token_s_, kMost));
}

}  // namespace penstock::core

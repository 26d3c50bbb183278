// Rules: what a request's params ask of the scores, read once an item.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/edits.h"
#include "core/sample_params.h"
#include "core/sampler.h"
#include "penstock/value.h"

namespace penstock::core {

/// "ID:BIAS" texts, as `logit_bias` has them. Throws Error(kData).
[[nodiscard]] std::map<std::int64_t, float> parse_bias(
    const std::vector<std::string>& texts);
/// "ID ID ..." texts, as `bad_words` has them. Throws Error(kData).
[[nodiscard]] std::vector<Tokens> parse_words(
    const std::vector<std::string>& texts);

class Rules {
 public:
  /// `ends`: the ids that end an answer. Throws Error(kData) for ids that are
  /// not below `vocab`; 0: not known.
  Rules(const SampleParams& params, Tokens ends, std::int64_t vocab);

  /// For the token after `tokens`, of which the first `prompt` were given.
  [[nodiscard]] Edits edits(const Tokens& tokens, std::int64_t prompt) const;
  [[nodiscard]] const Penalties& penalties() const { return penalties_; }
  [[nodiscard]] const Sampling& sampling() const { return sampling_; }
  [[nodiscard]] const Tokens& ends() const { return ends_; }
  /// Whether tokens are edited because they stand there.
  [[nodiscard]] bool looks_back() const;

 private:
  void check(std::int64_t vocab) const;

  Sampling sampling_;
  Penalties penalties_;
  std::map<std::int64_t, float> bias_;
  Tokens banned_, ends_;
  std::vector<Tokens> words_;
  std::int64_t ngram_ = 0, min_new_tokens_ = 0;
};

}  // namespace penstock::core

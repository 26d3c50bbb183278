// Log-probabilities of tokens, as the model gave them: before any penalty or
// temperature.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/candidate.h"

namespace penstock::core {

/// Of a run of tokens: for each its own, then those of the best `best`.
class Logprobs {
 public:
  explicit Logprobs(std::int64_t best)
      : best_(static_cast<std::size_t>(best)) {}

  /// `norm`: the log-sum-exp of every raw score.
  void add(std::int64_t id, float raw, const std::vector<Candidate>& others,
           float norm);
  /// ids i64[T, 1+best] and values f32[T, 1+best], by these names.
  void put(const char* ids, const char* values, Tensors& to) const;
  [[nodiscard]] bool empty() const { return ids_.empty(); }

 private:
  std::size_t best_;
  std::vector<std::int64_t> ids_;
  std::vector<float> values_;
};

}  // namespace penstock::core

// Picks one token from its best scores: temperature, then top_k, top_p, min_p,
// in the order of transformers' logits processors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace penstock::core {

struct Sampling {
  double temperature = 0;  ///< 0: always the best token
  std::int64_t top_k = 0;  ///< keep the best k; 0: all
  double top_p = 1;        ///< keep the smallest set of at least this mass
  double min_p = 0;        ///< drop those below this share of the best
};

/// Probabilities of the tokens that stay, for `scores` sorted best first; the
/// i-th belongs to the i-th score. Sums to 1, has at least one entry.
[[nodiscard]] std::vector<double> kept_probabilities(
    std::span<const float> scores, const Sampling& sampling);

/// The index into `scores` (sorted best first) that `random` in [0, 1) picks.
[[nodiscard]] std::size_t pick_index(std::span<const float> scores,
                                     const Sampling& sampling, double random);

}  // namespace penstock::core

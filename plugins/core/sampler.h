// Which tokens stay and which of them is next: temperature, then top_k, top_p,
// min_p, typical_p, in the order of transformers' logits processors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/candidate.h"

namespace penstock::core {

struct Sampling {
  double temperature = 0;  ///< 0: always the best token
  std::int64_t top_k = 0;  ///< keep the best k and their equals; 0: all
  double top_p = 1;        ///< keep the smallest set of at least this mass
  double min_p = 0;        ///< drop those below this share of the best
  double typical_p = 1;    ///< keep this mass, the least surprising first
};

/// How many of the best must be known; 0: all of them.
[[nodiscard]] std::int64_t needed(const Sampling& sampling);

struct Weighted {
  std::int64_t id = 0;
  double probability = 0;
};

/// Those that stay, best first; their probabilities sum to 1. Throws
/// Error(kData) where no token is left.
[[nodiscard]] std::vector<Weighted> kept(std::vector<Candidate> candidates,
                                         const Sampling& sampling);

/// The candidate that `random` in [0, 1) picks among those that stay.
[[nodiscard]] Candidate draw(std::vector<Candidate> candidates,
                             const Sampling& sampling, double random);

}  // namespace penstock::core

// Candidates: the tokens that may come next, with their scores, whether Forward
// gave all of them or only the best.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "penstock/step.h"

namespace penstock::core {

struct Candidate {
  std::int64_t id = 0;
  float score = 0;  ///< as the sampler sees it, edited or not
  float raw = 0;    ///< as the model gave it
};

/// The better first; of equal ones the higher id, which is the one that
/// transformers' top_p keeps.
[[nodiscard]] inline bool is_better(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score > b.score : a.id > b.id;
}

/// One scored position: the candidates and the best score that any token which
/// is not among them may have; -inf: all are here.
struct Candidates {
  std::vector<Candidate> all;
  float floor = 0;
};

/// Of the scores' row `at`, as `want` asked for them: every token, or the best
/// and those of want.ids; none but the `allowed`, null: all are. Throws
/// Error(kInternal) where the best is not finite.
[[nodiscard]] Candidates candidates_of(const Scores& scores, std::int64_t at,
                                       const Want& want,
                                       const TokenSet* allowed = nullptr);

}  // namespace penstock::core

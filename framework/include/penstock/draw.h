// Draw: how Decode will choose the token that follows a sequence, as far as
// that can be said before the step. Said with the question, so that a Forward
// may choose by itself and begin the next step while the host still looks at
// this one.
//
// A hint: nothing is wrong where it is not used, and a Forward that uses it
// keeps what it computed only where the next step turns out to be the one it
// expected. Decode gives none where the choice or the step behind it hangs on
// more: on a rule's next mask, on a draft that may be found.
#pragma once

#include <cstdint>
#include <vector>

namespace penstock {

/// The token that follows the last accepted one is chosen among the Want::top
/// best, without those of `edits`, and those of `edits`, of which each score
/// becomes s + bias, then, where that is negative, times `repetition`, else
/// divided by it, then less `minus`; all in f32.
///
/// At temperature 0 it is the best one, of equal ones the lowest id. Else
/// scores are divided by the temperature (f32), and there stay, each of the
/// better first, of equal ones the higher id: the best `top_k` and what equals
/// the last of them; of those the first whose weights exp(score - best) reach
/// `top_p` of the sum; of those the ones of at least `min_p`. The first that
/// makes the weights so far more than `random` times their sum is the token.
/// Weights and sums are f64.
struct Draw {
  struct Edit {
    std::int64_t id = 0;
    float bias = 0;  ///< -inf: may not come
    float repetition = 1;
    float minus = 0;
  };
  double temperature = 0;
  std::int64_t top_k = 0;  ///< 0: all
  double top_p = 1;
  double min_p = 0;
  double random = 0;            ///< in [0, 1)
  std::vector<Edit> edits;      ///< of Want::ids, in their order
  bool will_ask_drawn = false;  ///< the next Want::ids have the token as well
  bool is_last = false;         ///< whatever is chosen, no step follows
};

}  // namespace penstock

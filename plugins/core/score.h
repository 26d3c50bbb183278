// core.score: how likely a text is, token by token. The model continues
// nothing: each token is held against what was expected in its place.
#pragma once

#include "penstock/decode.h"

namespace penstock::core {

/// Input: scores f32[R,V]. Outputs, of the scored tokens, in pieces as the
/// prompt goes through: ids i64[N], logprobs f32[N], and best i64[N], the ids
/// that the model would have chosen.
///
/// The item's note `scored_from` is the first token that is scored; without
/// it all but the first are: nothing comes before that one.
class Score final : public Decode {
 public:
  struct Params {};
  static void declare(Declaration<Score>& d);
  explicit Score(const Params& /*params*/) {}

  [[nodiscard]] Footprint memory(
      const StageContext& /*context*/) const override {
    return {.best_scores = -1};
  }
  void start(Sequence& sequence) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;
};

/// The first scored token of an item; at least 1.
[[nodiscard]] std::int64_t scored_from(const Item& item);

}  // namespace penstock::core

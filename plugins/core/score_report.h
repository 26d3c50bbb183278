// core.score_report: what core.score found, for people and as JSON.
#pragma once

#include "penstock/postprocess.h"

namespace penstock::core {

/// Inputs: ids i64[N], logprobs f32[N], best i64[N]. Output: a line of text,
/// and JSON: `tokens`, of each its id, logprob, is_best and, where the item
/// notes `pieces`, its spelling; then logprob (their sum), token_count,
/// perplexity and is_greedy.
class ScoreReport final : public Postprocess {
 public:
  struct Params {};
  static void declare(Declaration<ScoreReport>& d);
  explicit ScoreReport(const Params& /*params*/) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;
};

}  // namespace penstock::core

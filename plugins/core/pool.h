// core.pool: one vector for a whole text, from the states that scores would
// come from: an embedding, for search and comparison.
#pragma once

#include <string>

#include "penstock/decode.h"

namespace penstock::core {

/// Input: scores f32[R,V], of which it wants the hidden states alone. Output:
/// embedding f32[D].
class Pool final : public Decode {
 public:
  struct Params {
    std::string pool = "mean";
    bool normalize = true;
  };
  static void declare(Declaration<Pool>& d);
  explicit Pool(const Params& /*params*/) {}

  [[nodiscard]] Footprint memory(
      const StageContext& /*context*/) const override {
    return {.best_scores = 0};
  }
  void start(Sequence& sequence) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  [[nodiscard]] at::Tensor embedding(const Sequence& sequence) const;
};

}  // namespace penstock::core

// core.top: the best classes of a classifier, with their probabilities.
#pragma once

#include "penstock/decode.h"

namespace penstock::core {

/// Input: logits f32[B,K]. Output: classes i64[N] and scores f32[N], best
/// first.
class Top final : public Decode {
 public:
  struct Params {
    std::int64_t top_k = 5;
    std::string activation = "softmax";
  };
  static void declare(Declaration<Top>& d);
  explicit Top(const Params& /*params*/) {}

  [[nodiscard]] Result pick(const Step& step, Result result) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;
};

}  // namespace penstock::core

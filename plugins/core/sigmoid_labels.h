// core.sigmoid_labels: every class of a classifier that is likely enough, where
// any number of them may be right.
#pragma once

#include <string>
#include <utility>

#include "penstock/decode.h"

namespace penstock::core {

/// Input: logits f32[B,K]. Output: classes i64[N] and scores f32[N], best
/// first; note `best_score` where N is 0.
class SigmoidLabels final : public Decode {
 public:
  struct Params {
    double threshold = 0.5;
    std::int64_t max = 100;
    std::string activation = "sigmoid";
  };
  static void declare(Declaration<SigmoidLabels>& d);
  explicit SigmoidLabels(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Result pick(const Step& step, Result result) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  Params params_;
};

}  // namespace penstock::core

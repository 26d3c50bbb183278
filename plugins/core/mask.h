// core.mask: what each pixel of a picture is, from scores for each of a model's
// pixels.
#pragma once

#include <string>
#include <utility>

#include "penstock/decode.h"

namespace penstock::core {

/// Input: logits f32[B,K,H,W]. Output: mask u8[H',W'], the class of each pixel
/// of the upright picture, 0 where the model saw none of it; of the model's
/// pixels where no stage noted where those come from. With one class 1 is
/// where it is likely; note `best_score` where it is nowhere.
class Mask final : public Decode {
 public:
  struct Params {
    std::string activation = "none";
    double threshold = 0.5;
  };
  static void declare(Declaration<Mask>& d);
  explicit Mask(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Result pick(const Step& step, Result result) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  Params params_;
};

}  // namespace penstock::core

// image.turn: turns a picture upright by what a classifier says of it, for the
// next step of a composition.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "penstock/postprocess.h"

namespace penstock::image {

/// Input: classes i64[N] and scores f32[N], best first. Output: the request's
/// picture as a tensor `image` u8[H,W,3], upright, which a step takes with
/// `{image: {each: STEP}}`; a line, and JSON {"angle", "score", "is_turned"},
/// the angle being how far the picture was turned clockwise.
class Turn final : public Postprocess {
 public:
  struct Params {
    std::vector<std::int64_t> angles;
    double threshold = 0;
  };
  static void declare(Declaration<Turn>& d);
  explicit Turn(Params params) : params_(std::move(params)) {}

  void open(StageContext& context) override;
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
  std::vector<std::int64_t> angles_;  ///< by class
};

}  // namespace penstock::image

// image.text_boxes: where lines of text are in a picture, from a map of how
// likely each pixel is text.
#pragma once

#include <utility>

#include "image/text_lines.h"
#include "penstock/decode.h"

namespace penstock::image {

/// Input: map f32[B,1,H,W]. Output, in reading order: corners f32[M,8], x and y
/// clockwise from the upper left, in whole pixels of the upright picture, or of
/// the map where no stage noted where it comes from; boxes f32[M,4] around
/// them, classes i64[M] (0) and scores f32[M]; note `best_score` where M is 0.
class TextBoxes final : public Decode {
 public:
  struct Params {
    double threshold = 0.3;
    double box_threshold = 0.5;
    double unclip = 1.6;
    bool dilate = true;
    std::int64_t max = 1000;
  };
  static void declare(Declaration<TextBoxes>& d);
  explicit TextBoxes(const Params& /*params*/) {}

  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  [[nodiscard]] Decoded lines_of(const at::Tensor& map, const Item& item) const;
};

}  // namespace penstock::image

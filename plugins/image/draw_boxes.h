// image.draw_boxes: what a detector found, as text, as JSON, drawn onto the
// picture, and cut out of it for the next step of a composition.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/labels/label_file.h"
#include "penstock/postprocess.h"

namespace penstock::image {

/// Input: boxes f32[M,4] as left, top, right, bottom in pixels of the upright
/// picture, classes i64[M], scores f32[M], and where there are such corners
/// f32[M,8]. Output: a line a box, and JSON
/// {"boxes": [{"id", "label", "score", "box"}]}, of frames of a film
/// {"frames": [{"time", "frame", "boxes"}]}, drawn on contact sheets of what
/// image.fit made small; with `track` a box has also "track"; with `crops` also
/// a tensor `image` u8[H,W,3] for each box, which a step takes with `{image:
/// {each: STEP}}`.
class DrawBoxes final : public Postprocess {
 public:
  struct Params {
    std::string labels;
    std::string render;
    bool crops = false;
    double margin = 0;
    std::string track = "none";
    double track_overlap = 0.3;
    std::int64_t track_gap = 5;
  };
  static void declare(Declaration<DrawBoxes>& d);
  explicit DrawBoxes(Params params) : params_(std::move(params)) {}

  void open(StageContext& context) override;
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
  labels::ClassNames names_;
};

}  // namespace penstock::image

// image.draw_mask: what the pixels of a picture are, as text, as COCO's run
// lengths, and laid over the picture.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/labels/label_file.h"
#include "penstock/postprocess.h"

namespace penstock::image {

/// Input: mask u8[H,W], the class of each pixel. Output: a line a class, the
/// largest first, and JSON {"masks": [{"id", "label", "area", "rle": {"size":
/// [H, W], "counts"}}]}, area in pixels.
class DrawMask final : public Postprocess {
 public:
  struct Params {
    std::string labels;
    std::int64_t background = 0;
    std::string render;
  };
  static void declare(Declaration<DrawMask>& d);
  explicit DrawMask(Params params) : params_(std::move(params)) {}

  void open(StageContext& context) override;
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
  labels::ClassNames names_;
};

}  // namespace penstock::image

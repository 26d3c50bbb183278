// image.load: a picture file to the pixels a model sees.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "image/decode.h"
#include "image/recipe_params.h"
#include "penstock/preprocess.h"

namespace penstock::image {

/// Input: image, a file, or a tensor of its pixels (given.h). Output: pixels
/// f32[C,H,W]. Notes: `path`, `width` and `height` of the upright picture, and
/// `seen`, where the pixels come from in it; with pan and scan an item for the
/// whole picture and one for each part, note `crop` 0, 1, ...
class Load final : public Preprocess {
 public:
  struct Params : RecipeParams {
    bool orient = true;
    std::string alpha = "drop";
    bool shrink = false;
    bool pan_and_scan = false;
    std::int64_t pan_and_scan_min_crop = 256;
    std::int64_t pan_and_scan_max_crops = 4;
    double pan_and_scan_min_ratio = 1.2;
    std::int64_t max_pixels = 64'000'000;
    std::int64_t max_bytes = 64 << 20;
  };
  static void declare(Declaration<Load>& d);
  explicit Load(const Params& params);

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  [[nodiscard]] at::Tensor picture(const std::string& bytes) const;
  /// What the model sees of a picture, and where it comes from.
  struct View {
    at::Tensor pixels;
    Seen seen;
  };
  [[nodiscard]] View view(const PictureView& part) const;
  [[nodiscard]] std::vector<View> views(const at::Tensor& whole) const;

  Params params_;
  Recipe recipe_;
  KeptMemory memory_;
};

}  // namespace penstock::image

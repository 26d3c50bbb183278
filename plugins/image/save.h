// image.save: pixels that a model made, or saw, as PNG files.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "penstock/postprocess.h"

namespace penstock::image {

/// Input: a tensor f32 or u8 [C,H,W], [H,W] or u8[H,W,3], of Decode or, where
/// that gives none of the name, of preprocess. Output: the file's path, and
/// JSON {"images": [{"file", "width", "height"}]}.
class Save final : public Postprocess {
 public:
  struct Params {
    std::string tensor = "pixels";
    std::string folder = "images";
    std::vector<double> mean = {0};
    std::vector<double> std = {1};
  };
  static void declare(Declaration<Save>& d);
  explicit Save(Params params) : params_(std::move(params)) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
};

}  // namespace penstock::image

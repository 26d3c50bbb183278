// image.load: a picture file to the pixels a model sees.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "decode.h"
#include "penstock/preprocess.h"
#include "recipe.h"

namespace penstock::image {

/// Input: image, a file. Output: pixels f32[C,H,W]. Notes: `path`, and `width`
/// and `height` of the upright picture; with pan and scan a sample for the
/// whole picture and one for each part, note `crop` 0, 1, ...
class Load final : public Preprocess {
 public:
  /// A list that is empty, a text that is "preset" and a number below 0 leave
  /// what the preset says.
  struct Params {
    std::string preset = "none";
    double square = -1;
    std::string fit = "preset";
    std::vector<std::int64_t> size;
    std::vector<std::int64_t> crop;
    std::string filter = "preset";
    std::string backend = "torch_aa";
    std::string channels = "rgb";
    double scale = -1;
    std::vector<double> mean;
    std::vector<double> std;
    std::int64_t pad_value = 0;
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

  void open(StageContext& context) override;
  void preprocess(const Request& request, Sample in,
                  SampleSink& out) const override;

 private:
  [[nodiscard]] at::Tensor picture(const std::string& bytes) const;
  [[nodiscard]] std::vector<at::Tensor> views(const at::Tensor& whole) const;

  Params params_;
  Recipe recipe_;
};

}  // namespace penstock::image

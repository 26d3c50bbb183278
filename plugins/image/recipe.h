// Recipe: what becomes of decoded pixels before a model sees them, and the
// named recipes that reproduce what known models were trained with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/resize.h"
#include "penstock/kept_memory.h"

namespace penstock::image {

struct Recipe {
  /// The share of the shorter side that a first, central square keeps, with
  /// EfficientNet's rule for the margin; 0: the whole picture.
  double square = 0;
  /// stretch: to `size`, whatever the shape. shortest: the shorter side to
  /// `size`, the other in proportion. letterbox: inside `size`, in proportion,
  /// the rest `pad_value`. least: the shorter side to `size` where it is
  /// shorter, in proportion, then both to the nearest `multiple`. height: the
  /// height to `size`, the width in proportion, at most that of `size` where it
  /// has two numbers. none: as it is.
  std::string fit = "none";
  std::vector<std::int64_t> size = {};  ///< [height, width], or one for both
  std::vector<std::int64_t> crop =
      {};                          ///< then the centre: [height, width] or one
  std::string filter = "bicubic";  ///< bilinear, bicubic
  std::string backend = "torch_aa";  ///< resize.h; mediapipe: warp.h
  std::string channels = "rgb";      ///< rgb, bgr, grey
  double scale = 1.0 / 255;          ///< value * scale, then (x - mean) / std
  std::vector<double> mean = {}, std = {};
  std::int64_t pad_value = 0;
  std::int64_t multiple = 1;  ///< of least, and of the room's width
  /// [height, width]: what is smaller lies at the upper left of so many zeros,
  /// or of the next multiple as wide.
  std::vector<std::int64_t> room = {};

  [[nodiscard]] Filter filter_kind() const {
    return filter == "bilinear" ? Filter::kBilinear : Filter::kBicubic;
  }
};

/// "none", "imagenet", "efficientnet_lite", "siglip", "clip", "vit", "gemma3".
[[nodiscard]] const std::vector<std::string>& preset_names();
[[nodiscard]] Recipe preset(const std::string& name);

struct Rectangle {
  std::int64_t left = 0, top = 0, width = 0, height = 0;
};

/// Where pixels come from: the part `of` the picture lies at `at` in them,
/// which reaches beyond them where a crop has cut it.
struct Seen {
  Rectangle of, at;

  /// As the note kSeen has it.
  [[nodiscard]] std::vector<std::int64_t> note() const;
};

/// u8[H,W,3] to u8[H',W',3]: every step but the last.
[[nodiscard]] at::Tensor reshape(const at::Tensor& pixels, const Recipe& recipe,
                                 Seen* seen = nullptr);
/// u8[H,W,3] to f32[C,H,W] in the recipe's channels, scaled and normalised in
/// the arithmetic of transformers (double product, float difference).
[[nodiscard]] at::Tensor normalize(const at::Tensor& pixels,
                                   const Recipe& recipe,
                                   const KeptMemory& memory = KeptMemory(0));

/// Gemma 3's pan and scan: the squarish parts that a long picture is seen as,
/// beside the whole one. Empty: it is not long enough.
struct PanAndScan {
  std::int64_t min_crop = 256;  ///< pixels of a part's shorter side
  std::int64_t max_crops = 4;
  double min_ratio = 1.2;  ///< longer side / shorter side
};
struct PictureView {
  at::Tensor pixels;
  std::int64_t left = 0, top = 0;  ///< of its first pixel in the whole
};
[[nodiscard]] std::vector<PictureView> pan_and_scan(const at::Tensor& pixels,
                                                    const PanAndScan& rule);

}  // namespace penstock::image

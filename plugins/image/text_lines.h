// Where lines of text are in a map of how likely each pixel is text:
// differentiable binarization, as PaddleOCR and rapidocr do it.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

namespace penstock::image {

struct TextLineRules {
  double threshold = 0.3;      ///< of a pixel
  double box_threshold = 0.5;  ///< of the mean of a line's pixels
  double unclip = 1.6;      ///< how far a line is larger than its likely pixels
  bool dilate = true;       ///< pixels beside likely ones join them
  std::int64_t max = 1000;  ///< blots that are looked at
};

/// Corners x, y clockwise from the upper left, in pixels of the map.
struct TextLine {
  std::array<float, 8> corners{};
  double score = 0;
};

/// Of f32[H,W] on the CPU, in the order in which OpenCV finds them.
[[nodiscard]] std::vector<TextLine> text_lines(const at::Tensor& map,
                                               const TextLineRules& rules);

/// In reading order: by line, those less than 10 pixels lower than the one
/// before are in one, then from left to right.
void sort_lines(std::vector<TextLine>& lines);

}  // namespace penstock::image

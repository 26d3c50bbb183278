// Parts of a picture: a box of it, or a quadrangle laid straight.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>

namespace penstock::image {

/// In pixels: 0 is the left edge of the first.
struct Extent {
  double left = 0, top = 0, right = 0, bottom = 0;
};

/// The pixels of u8[H,W,3] that a box touches, with `margin` shares of its
/// width and height on each side, cut to the picture: at least one pixel.
[[nodiscard]] at::Tensor crop_box(const at::Tensor& pixels, const Extent& box,
                                  double margin);

/// Corners x, y clockwise from the one where the content begins.
using Corners = std::array<float, 8>;

/// What lies between four corners of u8[H,W,3], laid straight, as PaddleOCR
/// does it: bicubic, and turned by 90 degrees where it is 1.5 times as high as
/// wide.
[[nodiscard]] at::Tensor crop_corners(const at::Tensor& pixels,
                                      const Corners& corners);

}  // namespace penstock::image

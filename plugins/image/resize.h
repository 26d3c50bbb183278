// Resizing pictures. One function, three ways to compute it:
//
//   torch_aa  libtorch's antialiased resize of bytes: within 1/255 of Pillow
//   pillow    Pillow's own arithmetic, bit for bit
//   opencv    no antialiasing, as models trained on OpenCV pixels expect
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace penstock::image {

enum class Filter { kBilinear, kBicubic };

/// u8[H,W,3] to u8[height,width,3], contiguous. `backend` is one of the above.
[[nodiscard]] at::Tensor resize(const at::Tensor& pixels, std::int64_t height,
                                std::int64_t width, Filter filter,
                                const std::string& backend);

/// The `pillow` backend: two passes over bytes with 22-bit weights, in the
/// order of Pillow 13. Source: the rules of Pillow's Resample.c.
[[nodiscard]] at::Tensor resize_as_pillow(const at::Tensor& pixels,
                                          std::int64_t height,
                                          std::int64_t width, Filter filter);

/// Which of the two passes comes first, since Pillow 13: the columns where they
/// lose more than twice as many pixels. It shows in the rounding between them.
[[nodiscard]] bool is_height_first(const at::Tensor& pixels,
                                   std::int64_t height, std::int64_t width);

}  // namespace penstock::image

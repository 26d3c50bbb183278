// Pictures for people: lines of text drawn on pixels, written as PNG.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::image {

/// A copy of u8[H,W,3] with the lines in its upper left corner, on a dark
/// band; small pictures are enlarged until the text can be read, large ones
/// made smaller. Only printable ASCII is drawn, other characters become '?'.
[[nodiscard]] at::Tensor with_lines(const at::Tensor& pixels,
                                    const std::vector<std::string>& lines);

struct DrawnBox {
  double left = 0, top = 0, right = 0, bottom = 0;
  std::string text;       ///< printable() of it stands at its upper left corner
  std::int64_t kind = 0;  ///< boxes of one kind have one colour
};

/// A copy of u8[H,W,3] with the boxes, of its pixels, enlarged or made smaller
/// as with_lines() does.
[[nodiscard]] at::Tensor with_boxes(const at::Tensor& pixels,
                                    const std::vector<DrawnBox>& boxes);

/// A copy of u8[H,W,3], as large as it is, with the boxes' outlines alone.
[[nodiscard]] at::Tensor with_outlines(const at::Tensor& pixels,
                                       const std::vector<DrawnBox>& boxes);

/// A copy of u8[H,W,3] with the colour of its class laid over each pixel that
/// u8[H,W] says one for, but for those of class `none`.
[[nodiscard]] at::Tensor with_mask(const at::Tensor& pixels,
                                   const at::Tensor& mask, std::int64_t none);

/// Text that can be drawn: printable ASCII, '?' for any other character.
[[nodiscard]] std::string printable(const std::string& text);

/// Writes u8[H,W,3]; throws Error(kRetry) where it cannot.
void write_png(const std::string& path, const at::Tensor& pixels);

/// The same as FOLDER/<request>.png, or <request>.1.png for view 1,
/// which is its second.
void write_view(const std::string& folder, const std::string& request,
                std::int64_t view, const at::Tensor& pixels);

}  // namespace penstock::image

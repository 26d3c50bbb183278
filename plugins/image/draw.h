// Pictures for people: lines of text drawn on pixels, written as PNG.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace penstock::image {

/// A copy of u8[H,W,3] with the lines in its upper left corner, on a dark
/// band; small pictures are enlarged until the text can be read, large ones
/// made smaller. Only printable ASCII is drawn, other characters become '?'.
[[nodiscard]] at::Tensor with_lines(const at::Tensor& pixels,
                                    const std::vector<std::string>& lines);

/// Text that can be drawn: printable ASCII, '?' for any other character.
[[nodiscard]] std::string printable(const std::string& text);

/// Writes u8[H,W,3]; throws Error(kRetry) where it cannot.
void write_png(const std::string& path, const at::Tensor& pixels);

}  // namespace penstock::image

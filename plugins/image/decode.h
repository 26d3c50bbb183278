// A picture from coded bytes of any format known here, upright and in rgb.
#pragma once

#include <string>
#include <string_view>

#include "image/codecs/codec.h"

namespace penstock::image {

/// By its first bytes, whatever the file is called: "JPEG", "PNG", "WebP",
/// "GIF", "TIFF", "BMP"; "": none of them.
[[nodiscard]] std::string format_of(std::string_view bytes);

/// Decodes by format_of(); throws Error(kData).
[[nodiscard]] Picture decode(std::string_view bytes,
                             const DecodeOptions& options);

/// Turned as EXIF orientation 1..8 asks: u8[H,W,C] to u8[H',W',C].
[[nodiscard]] at::Tensor upright(const at::Tensor& pixels, int orientation);

/// Without its alpha channel. "drop": the colours as stored, as Pillow does;
/// "white" or "black": laid over it.
[[nodiscard]] at::Tensor without_alpha(const at::Tensor& pixels,
                                       const std::string& background);

}  // namespace penstock::image

// One picture file format each: coded bytes in, pixels out. A codec looks at
// the header first and refuses too many pixels before it decodes one; what is
// damaged or cut short is an error, never a picture with grey in it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

namespace penstock::image {

struct DecodeOptions {
  std::int64_t max_pixels = 64'000'000;
  /// JPEG only: decode at 1/2, 1/4 or 1/8 where both sides stay at least this
  /// long. 0: whole.
  std::int64_t shrink_to = 0;
};

struct Picture {
  at::Tensor pixels;    ///< u8[H,W,3], or [H,W,4] with alpha: rgb, contiguous
  int orientation = 1;  ///< EXIF 1..8: how to turn it upright
};

[[nodiscard]] Picture decode_jpeg(std::string_view bytes,
                                  const DecodeOptions& options);
[[nodiscard]] Picture decode_png(std::string_view bytes,
                                 const DecodeOptions& options);
[[nodiscard]] Picture decode_webp(std::string_view bytes,
                                  const DecodeOptions& options);
[[nodiscard]] Picture decode_gif(std::string_view bytes,
                                 const DecodeOptions& options);
[[nodiscard]] Picture decode_tiff(std::string_view bytes,
                                  const DecodeOptions& options);
[[nodiscard]] Picture decode_bmp(std::string_view bytes,
                                 const DecodeOptions& options);

/// Makes the pixels of a codec; throws Error(kData) when the sides are not in
/// 1..65535 or their product is over the limit.
[[nodiscard]] at::Tensor new_pixels(std::int64_t height, std::int64_t width,
                                    std::int64_t channels,
                                    const DecodeOptions& options);

/// The orientation tag of EXIF data (a TIFF header and its first directory);
/// 1 where there is none or the data is malformed.
[[nodiscard]] int exif_orientation(std::string_view exif);

}  // namespace penstock::image

// The pixels of a TIFF page with the alpha and the colours that it stores.
// libtiff's own reading multiplies colours that were not, ignores the alpha of
// some kinds of page and rounds 16 bits; Pillow does none of it.
#pragma once

#include <ATen/core/Tensor.h>
#include <tiffio.h>

#include <cstdint>

namespace penstock::image {

enum class Alpha {
  kNone,
  kPlain,      ///< the colours are as if there was no alpha
  kMultiplied  ///< the colours were multiplied by it ("associated")
};

/// What the page says of its samples beyond the colours. Throws Error(kData)
/// for an alpha beside colours that cannot be read together with one.
[[nodiscard]] Alpha alpha_of(TIFF* tiff);

/// Reads the page into `raster` [height, width] in the order of `orientation`,
/// 16 bits as their upper 8. False: libtiff has told why not.
[[nodiscard]] bool read_pixels(TIFF* tiff, int orientation, Alpha alpha,
                               std::uint32_t* raster);

/// u8[H,W,4] in place: colours as they were before alpha was applied.
void divide_by_alpha(const at::Tensor& pixels);

}  // namespace penstock::image

#include "image/codecs/tiff_alpha.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "penstock/error.h"

namespace penstock::image {
namespace {

std::uint16_t field(TIFF* tiff, std::uint32_t tag) {
  std::uint16_t value = 0;
  (void)TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

bool is_one_colour(int photometric) {
  return photometric == PHOTOMETRIC_MINISBLACK ||
         photometric == PHOTOMETRIC_MINISWHITE ||
         photometric == PHOTOMETRIC_PALETTE;
}

int colours_of(int photometric) {
  if (is_one_colour(photometric)) return 1;
  return photometric == PHOTOMETRIC_SEPARATED ? 4 : 3;
}

struct Reading {
  TIFFRGBAImage image;        ///< first: libtiff's callback gets nothing else
  tileContigRoutine colours;  ///< libtiff's own
  int bytes;                  ///< of a sample
  int alpha;                  ///< which sample of a pixel it is
};

/// The upper 8 bits of a sample.
std::uint32_t sample(const Reading& reading, const unsigned char* pixel,
                     int number) {
  if (reading.bytes == 1) return pixel[number];
  std::uint16_t wide = 0;
  std::memcpy(&wide, pixel + 2 * number, sizeof(wide));
  return wide >> 8U;
}

/// Called for each strip or tile, `w` x `h` pixels at `from`: fills in the
/// alpha, and also the colours where libtiff takes no other sample into account
/// when it steps over what lies beyond a tile's edge.
void put_with_alpha(TIFFRGBAImage* image, std::uint32_t* to, std::uint32_t x,
                    std::uint32_t y, std::uint32_t w, std::uint32_t h,
                    std::int32_t from_skew, std::int32_t to_skew,
                    unsigned char* from) {
  const auto& reading = *reinterpret_cast<const Reading*>(image);
  std::uint32_t** const map =
      image->photometric == PHOTOMETRIC_PALETTE ? image->PALmap : image->BWmap;
  const bool is_mapped = is_one_colour(image->photometric);
  if (!is_mapped) {
    reading.colours(image, to, x, y, w, h, from_skew, to_skew, from);
  }
  const std::ptrdiff_t step =
      std::ptrdiff_t{image->samplesperpixel} * reading.bytes;
  for (; h > 0; --h, to += to_skew, from += from_skew * step) {
    for (std::uint32_t i = 0; i < w; ++i, ++to, from += step) {
      if (is_mapped) *to = *map[sample(reading, from, 0)];
      *to = (*to & 0xFFFFFFU) | sample(reading, from, reading.alpha) << 24U;
    }
  }
}

struct End {
  void operator()(TIFFRGBAImage* image) const { TIFFRGBAImageEnd(image); }
};

}  // namespace

Alpha alpha_of(TIFF* tiff) {
  const int samples = field(tiff, TIFFTAG_SAMPLESPERPIXEL);
  const int photometric = field(tiff, TIFFTAG_PHOTOMETRIC);
  std::uint16_t count = 0;
  std::uint16_t* kinds = nullptr;
  // Not its default: libtiff makes one up, and old programs leave the tag out.
  (void)TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds);
  if (count == 0) {
    return photometric == PHOTOMETRIC_RGB && samples == 4 ? Alpha::kPlain
                                                          : Alpha::kNone;
  }
  if (kinds[0] != EXTRASAMPLE_ASSOCALPHA &&
      kinds[0] != EXTRASAMPLE_UNASSALPHA) {
    return Alpha::kNone;
  }
  const bool is_planar =
      field(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
  const int bits = field(tiff, TIFFTAG_BITSPERSAMPLE);
  const bool is_multiplied = kinds[0] == EXTRASAMPLE_ASSOCALPHA;
  const bool is_grey = photometric == PHOTOMETRIC_MINISBLACK;
  // What libtiff's reading of that layout keeps the alpha of, or ours does.
  const bool is_known =
      photometric == PHOTOMETRIC_RGB || is_grey ||
      (!is_planar && !is_multiplied &&
       (is_one_colour(photometric) || photometric == PHOTOMETRIC_SEPARATED));
  const bool has_room = samples > colours_of(photometric);
  if (!is_known || !has_room || (bits != 8 && bits != 16)) {
    throw Error(
        Code::kData,
        str("a TIFF whose alpha cannot be read beside its colours "
            "(photometric interpretation ",
            photometric, ", ", bits, " bits", is_planar ? ", planar" : "",
            "); save it as rgb with 8 bits"));
  }
  return is_multiplied ? Alpha::kMultiplied : Alpha::kPlain;
}

bool read_pixels(TIFF* tiff, int orientation, Alpha alpha,
                 std::uint32_t* raster) {
  // Else libtiff would multiply, or, where the tag is not there, leave it out.
  std::array<std::uint16_t, 1> multiplied{EXTRASAMPLE_ASSOCALPHA};
  if (alpha == Alpha::kPlain) {
    (void)TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, multiplied.data());
  }
  std::array<char, 1024> problem{};
  Reading reading{};
  if (TIFFRGBAImageOK(tiff, problem.data()) == 0 ||
      TIFFRGBAImageBegin(&reading.image, tiff, /*stop=*/1, problem.data()) ==
          0) {
    TIFFErrorExtR(tiff, "picture", "%s", problem.data());
    return false;
  }
  const std::unique_ptr<TIFFRGBAImage, End> image(&reading.image);
  image->req_orientation = static_cast<std::uint16_t>(orientation);
  if (image->Bitdepth16To8 != nullptr) {
    for (std::uint32_t i = 0; i < 65536; ++i) {
      image->Bitdepth16To8[i] = static_cast<std::uint8_t>(i >> 8U);
    }
  }
  if (alpha != Alpha::kNone && image->isContig != 0) {
    reading.colours = image->put.contig;
    reading.bytes = image->bitspersample / 8;
    reading.alpha = colours_of(image->photometric);
    image->put.contig = put_with_alpha;
  }
  return TIFFRGBAImageGet(image.get(), raster, image->width, image->height) !=
         0;
}

void divide_by_alpha(const at::Tensor& pixels) {
  auto* at = pixels.mutable_data_ptr<std::uint8_t>();
  const auto* const end = at + pixels.numel();
  for (; at != end; at += 4) {
    const int alpha = at[3];
    for (int c = 0; c < 3; ++c) {
      const int value = alpha == 0 ? 0 : at[c] * 255 / alpha;
      at[c] = static_cast<std::uint8_t>(std::min(value, 255));
    }
  }
}

}  // namespace penstock::image

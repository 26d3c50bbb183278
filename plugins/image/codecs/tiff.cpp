// TIFF by libtiff: the first page as 8-bit rgba, whatever it stores. Colours
// as they were before alpha was applied to them; see tiff_alpha.h.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "image/codecs/codec.h"
#include "image/codecs/tiff_alpha.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

/// What the lists of a page's header may take, however few pixels may.
constexpr std::int64_t kDirectoryBytes = std::int64_t{64} << 20;

struct Reading {
  std::string_view bytes;
  std::uint64_t at = 0;
  std::array<char, 160> error{};  ///< the first that libtiff told
};

/// 1: told, nobody else need know.
int keep_error(TIFF* /*tiff*/, void* reading, const char* /*module*/,
               const char* format, va_list list) {
  auto& error = static_cast<Reading*>(reading)->error;
  if (error[0] == '\0') {
    (void)std::vsnprintf(error.data(), error.size(), format, list);
  }
  return 1;
}
int ignore_warning(TIFF* /*tiff*/, void* /*reading*/, const char* /*module*/,
                   const char* /*format*/, va_list /*list*/) {
  return 1;
}

[[noreturn]] void damaged(const Reading& reading) {
  const char* why = reading.error.data();
  throw Error(Code::kData,
              str("damaged or unknown TIFF: ", *why == '\0' ? "no page" : why));
}

tmsize_t read(thandle_t handle, void* to, tmsize_t count) {
  auto& file = *static_cast<Reading*>(handle);
  const std::uint64_t size = file.bytes.size();
  const std::uint64_t left = file.at < size ? size - file.at : 0;
  const auto part = std::min(left, static_cast<std::uint64_t>(count));
  std::memcpy(to, file.bytes.data() + (left > 0 ? file.at : 0), part);
  file.at += part;
  return static_cast<tmsize_t>(part);
}
tmsize_t write(thandle_t /*handle*/, void* /*from*/, tmsize_t /*count*/) {
  return 0;
}
toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto& file = *static_cast<Reading*>(handle);
  const std::uint64_t base = whence == SEEK_SET   ? 0
                             : whence == SEEK_CUR ? file.at
                                                  : file.bytes.size();
  return file.at = base + offset;
}
int close(thandle_t /*handle*/) { return 0; }
toff_t size(thandle_t handle) {
  return static_cast<Reading*>(handle)->bytes.size();
}

/// The file is in memory as it is. Read piece by piece, libtiff 4.5 rounds what
/// it reads up to 1024 bytes and then refuses tiles that are smaller.
int map(thandle_t handle, void** base, toff_t* bytes) {
  const auto& file = *static_cast<Reading*>(handle);
  *base = const_cast<char*>(file.bytes.data());  // only read: the mode is "r"
  *bytes = file.bytes.size();
  return 1;
}
void unmap(thandle_t /*handle*/, void* /*base*/, toff_t /*bytes*/) {}

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;
using OpenOptions =
    std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)>;

/// A file may claim strips of any size: 8 bytes are the widest rgba pixel.
Tiff open(Reading& reading, const DecodeOptions& options) {
  const OpenOptions how(TIFFOpenOptionsAlloc(), &TIFFOpenOptionsFree);
  if (how == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetMaxSingleMemAlloc(
      how.get(), std::max(kDirectoryBytes, 8 * options.max_pixels));
  TIFFOpenOptionsSetErrorHandlerExtR(how.get(), keep_error, &reading);
  TIFFOpenOptionsSetWarningHandlerExtR(how.get(), ignore_warning, nullptr);
  return {TIFFClientOpenExt("picture", "r", &reading, read, write, seek, close,
                            size, map, unmap, how.get()),
          &TIFFClose};
}

}  // namespace

Picture decode_tiff(std::string_view bytes, const DecodeOptions& options) {
  Reading reading{.bytes = bytes};
  const Tiff tiff = open(reading, options);
  if (tiff == nullptr) damaged(reading);
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  if (TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width) == 0 ||
      TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height) == 0) {
    damaged(reading);
  }
  Picture picture;
  picture.pixels = new_pixels(height, width, 4, options);
  std::uint16_t orientation = 1;
  (void)TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_ORIENTATION, &orientation);
  picture.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  const Alpha alpha = alpha_of(tiff.get());
  // As stored: the caller turns it. Words are ABGR, so bytes are r g b a.
  auto* raster = reinterpret_cast<std::uint32_t*>(
      picture.pixels.mutable_data_ptr<std::uint8_t>());
  if (!read_pixels(tiff.get(), picture.orientation, alpha, raster)) {
    damaged(reading);
  }
  if (alpha == Alpha::kNone) {
    picture.pixels = picture.pixels.narrow(2, 0, 3).contiguous();
  } else if (alpha == Alpha::kMultiplied) {
    divide_by_alpha(picture.pixels);
  }
  return picture;
}

}  // namespace penstock::image

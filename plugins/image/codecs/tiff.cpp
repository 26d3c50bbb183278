// TIFF by libtiff: the first page as 8-bit rgba, whatever it stores.
#include <tiffio.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "codec.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

/// libtiff tells its errors to one function of the process: this thread's last
/// one is kept, nothing is printed.
thread_local std::array<char, 160> last_error{};

void keep_error(const char* /*module*/, const char* format, va_list list) {
  if (last_error[0] != '\0') return;  // the first says what was wrong
  (void)std::vsnprintf(last_error.data(), last_error.size(), format, list);
}

[[noreturn]] void damaged() {
  throw Error(Code::kData,
              str("damaged or unknown TIFF: ",
                  last_error[0] == '\0' ? "no page" : last_error.data()));
}

struct Reading {
  std::string_view bytes;
  std::uint64_t at = 0;
};

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

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

}  // namespace

Picture decode_tiff(std::string_view bytes, const DecodeOptions& options) {
  static const bool is_quiet = [] {
    (void)TIFFSetErrorHandler(keep_error);
    (void)TIFFSetWarningHandler(nullptr);
    return true;
  }();
  (void)is_quiet;
  last_error[0] = '\0';
  Reading reading{.bytes = bytes};
  const Tiff tiff(TIFFClientOpen("picture", "rm", &reading, read, write, seek,
                                 close, size, nullptr, nullptr),
                  &TIFFClose);
  if (tiff == nullptr) damaged();
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  if (TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width) == 0 ||
      TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height) == 0) {
    damaged();
  }
  Picture picture;
  picture.pixels = new_pixels(height, width, 4, options);
  std::uint16_t orientation = 1;
  (void)TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_ORIENTATION, &orientation);
  picture.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  std::uint16_t samples = 0;
  std::uint16_t extra = 0;
  std::uint16_t* kinds = nullptr;
  (void)TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_SAMPLESPERPIXEL, &samples);
  (void)TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_EXTRASAMPLES, &extra, &kinds);
  // As stored: the caller turns it. Words are ABGR, so bytes are r g b a.
  auto* raster = reinterpret_cast<std::uint32_t*>(
      picture.pixels.mutable_data_ptr<std::uint8_t>());
  if (TIFFReadRGBAImageOriented(tiff.get(), width, height, raster,
                                picture.orientation, /*stop=*/1) == 0) {
    damaged();
  }
  if (extra == 0) {
    picture.pixels = picture.pixels.narrow(2, 0, 3).contiguous();
  }
  return picture;
}

}  // namespace penstock::image

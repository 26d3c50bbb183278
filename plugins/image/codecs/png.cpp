// PNG by libpng. Palettes and grey become rgb, 16 bits their upper 8 (as
// Pillow reads rgb files), tRNS and alpha channels a fourth channel.
#include <png.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "image/codecs/codec.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

constexpr png_alloc_size_t kMostChunk = 8U << 20U;
constexpr png_uint_32 kMostSide = 65535;

/// What the callbacks of libpng need: it is C and is left by longjmp.
struct Reading {
  std::string_view rest;
  bool has_ended = false;  ///< more was wanted than there is
  std::array<char, 96> text{};
};

void fail(png_structp png, png_const_charp text) {
  auto& reading = *static_cast<Reading*>(png_get_error_ptr(png));
  std::strncpy(reading.text.data(), text, reading.text.size() - 1);
  png_longjmp(png, 1);
}
void ignore(png_structp /*png*/, png_const_charp /*text*/) {}

void read(png_structp png, png_bytep to, png_size_t count) {
  auto& reading = *static_cast<Reading*>(png_get_io_ptr(png));
  reading.has_ended = count > reading.rest.size();
  if (reading.has_ended) png_error(png, "the file ends early");
  std::memcpy(to, reading.rest.data(), count);
  reading.rest.remove_prefix(count);
}

class Decoder {
 public:
  explicit Decoder(std::string_view bytes)
      : reading_{.rest = bytes},
        png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading_, fail,
                                    ignore)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {
    if (info_ == nullptr) throw Error(Code::kRetry, "no memory for PNG");
    png_set_read_fn(png_, &reading_, read);
    png_set_user_limits(png_, kMostSide, kMostSide);
    png_set_chunk_malloc_max(png_, kMostChunk);
  }
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  void read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) damaged();
    png_read_info(png_, info_);
    png_set_strip_16(png_);
    png_set_expand(png_);
    png_set_gray_to_rgb(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }
  [[nodiscard]] std::int64_t height() const {
    return png_get_image_height(png_, info_);
  }
  [[nodiscard]] std::int64_t width() const {
    return png_get_image_width(png_, info_);
  }
  [[nodiscard]] std::int64_t channels() const {
    return png_get_channels(png_, info_);
  }
  void read_pixels(std::uint8_t* to, std::size_t stride) {
    if (setjmp(png_jmpbuf(png_)) != 0) damaged();
    const png_uint_32 rows = png_get_image_height(png_, info_);
    for (int pass = 0; pass < passes_; ++pass) {
      for (png_uint_32 y = 0; y < rows; ++y) {
        png_read_row(png_, to + y * stride, nullptr);
      }
    }
  }
  /// What follows the pixels. A file that is cut there has all of them and is
  /// read, as Pillow does; one that is damaged there is not.
  void read_end() {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      if (reading_.has_ended) return;
      damaged();
    }
    png_read_end(png_, info_);
  }
  [[nodiscard]] int orientation() {
    png_uint_32 size = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &size, &exif) == 0) return 1;
    return exif_orientation({reinterpret_cast<const char*>(exif), size});
  }

 private:
  [[noreturn]] void damaged() const {
    throw Error(Code::kData, str("damaged PNG: ", reading_.text.data()));
  }

  Reading reading_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
};

}  // namespace

Picture decode_png(std::string_view bytes, const DecodeOptions& options) {
  Decoder decoder(bytes);
  decoder.read_header();
  Picture picture;
  picture.pixels = new_pixels(decoder.height(), decoder.width(),
                              decoder.channels(), options);
  decoder.read_pixels(
      picture.pixels.mutable_data_ptr<std::uint8_t>(),
      static_cast<std::size_t>(decoder.width() * decoder.channels()));
  decoder.read_end();
  picture.orientation = decoder.orientation();
  return picture;
}

}  // namespace penstock::image

// JPEG by libjpeg-turbo, with its default ("slow", accurate) transform and
// upsampling: the pixels that Pillow gives, bit for bit.
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
// Needs size_t and FILE declared before it.
#include <jerror.h>
#include <jpeglib.h>

#include "image/codecs/codec.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

constexpr int kMostScans = 500;  // of a progressive file: a bomb otherwise
constexpr int kExifMarker = JPEG_APP0 + 1;

/// libjpeg reports by callback and must not be left by an exception.
struct Watch {
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf leave{};
  std::array<char, JMSG_LENGTH_MAX> text{};
};

Watch& watch_of(j_common_ptr jpeg) {
  return *reinterpret_cast<Watch*>(jpeg->err);  // its first member
}

[[noreturn]] void leave(j_common_ptr jpeg) {
  Watch& watch = watch_of(jpeg);
  watch.errors.format_message(jpeg, watch.text.data());
  std::longjmp(watch.leave, 1);
}

/// Warnings that mean "the rest is guessed" are errors here.
void look_at_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
      leave(jpeg);
    default:
      return;
  }
}

void look_at_scans(j_common_ptr jpeg) {
  const auto* decoder = reinterpret_cast<j_decompress_ptr>(jpeg);
  if (decoder->input_scan_number <= kMostScans) return;
  Watch& watch = watch_of(jpeg);
  std::snprintf(watch.text.data(), watch.text.size(), "more than %d scans",
                kMostScans);
  std::longjmp(watch.leave, 1);
}

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {
    jpeg_.err = jpeg_std_error(&watch_.errors);
    watch_.errors.error_exit = leave;
    watch_.errors.emit_message = look_at_message;
    watch_.progress.progress_monitor = look_at_scans;
    jpeg_create_decompress(&jpeg_);
    jpeg_.progress = &watch_.progress;
  }
  ~Decoder() { jpeg_destroy_decompress(&jpeg_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  void read_header() {
    if (setjmp(watch_.leave) != 0) fail();
    jpeg_save_markers(&jpeg_, kExifMarker, 0xFFFF);
    jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(bytes_.data()),
                 static_cast<unsigned long>(bytes_.size()));
    (void)jpeg_read_header(&jpeg_, TRUE);
  }

  [[nodiscard]] bool is_cmyk() const { return jpeg_.num_components == 4; }
  [[nodiscard]] std::int64_t height() const { return jpeg_.image_height; }
  [[nodiscard]] std::int64_t width() const { return jpeg_.image_width; }

  [[nodiscard]] int orientation() const {
    constexpr std::string_view kExif("Exif\0\0", 6);
    for (auto* marker = jpeg_.marker_list; marker != nullptr;
         marker = marker->next) {
      const std::string_view data(reinterpret_cast<const char*>(marker->data),
                                  marker->data_length);
      if (marker->marker != kExifMarker || data.substr(0, 6) != kExif) continue;
      return exif_orientation(data.substr(6));
    }
    return 1;
  }

  /// Asks for 1/2, 1/4 or 1/8 as long as both sides keep `side` pixels.
  void shrink(std::int64_t side) {
    const std::int64_t shortest = std::min(height(), width());
    unsigned denominator = 1;
    while (denominator < 8 &&
           shortest / 2 / static_cast<std::int64_t>(denominator) >= side) {
      denominator *= 2;
    }
    jpeg_.scale_num = 1;
    jpeg_.scale_denom = denominator;
  }

  void start() {
    if (setjmp(watch_.leave) != 0) fail();
    jpeg_.out_color_space = is_cmyk() ? JCS_CMYK : JCS_RGB;
    (void)jpeg_start_decompress(&jpeg_);
  }
  [[nodiscard]] std::int64_t out_height() const { return jpeg_.output_height; }
  [[nodiscard]] std::int64_t out_width() const { return jpeg_.output_width; }

  void read(std::uint8_t* to, std::size_t stride) {
    if (setjmp(watch_.leave) != 0) fail();
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW row = to + jpeg_.output_scanline * stride;
      (void)jpeg_read_scanlines(&jpeg_, &row, 1);
    }
    (void)jpeg_finish_decompress(&jpeg_);
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(Code::kData, str("damaged JPEG: ", watch_.text.data()));
  }

  std::string_view bytes_;
  Watch watch_;
  jpeg_decompress_struct jpeg_{};
};

/// Adobe writes CMYK inverted, and everybody reads it so.
void cmyk_to_rgb(const at::Tensor& cmyk, const at::Tensor& rgb) {
  const auto multiplied = [](int a, int b) {
    const int product = a * b + 128;
    return ((product >> 8) + product) >> 8;  // a * b / 255, rounded
  };
  const auto* from = cmyk.const_data_ptr<std::uint8_t>();
  auto* to = rgb.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < rgb.numel() / 3; ++i, from += 4, to += 3) {
    const int white = from[3];  // 255 - key, inverted once more
    for (int c = 0; c < 3; ++c) {
      to[c] = static_cast<std::uint8_t>(
          std::max(0, white - multiplied(255 - from[c], white)));
    }
  }
}

}  // namespace

Picture decode_jpeg(std::string_view bytes, const DecodeOptions& options) {
  Decoder decoder(bytes);
  decoder.read_header();
  // The limit is for the file, not for what is left of it when shrunk.
  (void)new_pixels(decoder.height(), decoder.width(), 0, options);
  if (options.shrink_to > 0) decoder.shrink(options.shrink_to);
  Picture picture;
  picture.orientation = decoder.orientation();  // reading frees the markers
  decoder.start();
  const std::int64_t height = decoder.out_height();
  const std::int64_t width = decoder.out_width();
  const std::int64_t channels = decoder.is_cmyk() ? 4 : 3;
  picture.pixels = new_pixels(height, width, channels, options);
  decoder.read(picture.pixels.mutable_data_ptr<std::uint8_t>(),
               static_cast<std::size_t>(width * channels));
  if (decoder.is_cmyk()) {
    const at::Tensor coded = picture.pixels;
    picture.pixels = new_pixels(height, width, 3, options);
    cmyk_to_rgb(coded, picture.pixels);
  }
  return picture;
}

}  // namespace penstock::image

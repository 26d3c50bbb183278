// BMP, uncompressed or run-length coded, 1 to 32 bits: the headers of Windows
// and OS/2. Our own: the libraries that read it load for a quarter of a second.
// Source: Microsoft, "Bitmap Storage" and BITMAPV5HEADER.
#include <array>
#include <bit>

#include "image/codecs/codec.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

[[noreturn]] void damaged(const char* what) {
  throw Error(Code::kData, str("damaged BMP: ", what));
}

enum Compression : std::uint32_t { kRgb = 0, kRle8 = 1, kRle4 = 2, kMasks = 3 };

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) { read_header(); }

  [[nodiscard]] Picture decode(const DecodeOptions& options) {
    Picture picture;
    // Runs cost few bytes: look at the size before making room for them.
    picture.pixels = new_pixels(height_, width_, 3, options);
    if (bits_ <= 8) read_palette();
    to_ = picture.pixels.mutable_data_ptr<std::uint8_t>();
    if (compression_ == kRle8 || compression_ == kRle4) {
      picture.pixels.zero_();
      read_runs();
    } else {
      read_rows();
    }
    return picture;
  }

 private:
  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) {
      damaged("the file ends early");
    }
    std::uint32_t value = 0;
    for (std::size_t i = count; i-- > 0;) {
      value = value << 8U | static_cast<unsigned char>(bytes_[at + i]);
    }
    return value;
  }

  void read_header() {
    constexpr std::size_t kFileHeader = 14;
    pixels_ = number(10, 4);
    const std::uint32_t header = number(kFileHeader, 4);
    palette_ = kFileHeader + header;
    if (header == 12) {  // OS/2
      width_ = number(18, 2);
      height_ = number(20, 2);
      bits_ = number(24, 2);
      palette_entry_ = 3;
    } else if (header >= 40 && header <= 124) {
      width_ = static_cast<std::int32_t>(number(18, 4));
      height_ = static_cast<std::int32_t>(number(22, 4));
      bits_ = number(28, 2);
      compression_ = number(30, 4);
      colors_ = number(46, 4);
      read_masks(header);
    } else {
      damaged("its header has an unknown size");
    }
    is_top_down_ = height_ < 0;
    height_ = is_top_down_ ? -height_ : height_;
    if (bits_ != 1 && bits_ != 4 && bits_ != 8 && bits_ != 16 && bits_ != 24 &&
        bits_ != 32) {
      damaged("its pixels have an unknown number of bits");
    }
    const bool is_known =
        compression_ == kRgb || (compression_ == kRle8 && bits_ == 8) ||
        (compression_ == kRle4 && bits_ == 4) ||
        (compression_ == kMasks && (bits_ == 16 || bits_ == 32));
    if (!is_known) damaged("an unknown compression");
  }

  void read_masks(std::uint32_t header) {
    masks_ = bits_ == 16 ? std::array<std::uint32_t, 3>{0x7C00, 0x3E0, 0x1F}
                         : std::array<std::uint32_t, 3>{0xFF0000, 0xFF00, 0xFF};
    if (compression_ != kMasks) return;
    constexpr std::size_t kMasksAt = 54;
    for (std::size_t c = 0; c < 3; ++c) {
      masks_.at(c) = number(kMasksAt + 4 * c, 4);
      if (masks_.at(c) == 0) damaged("an empty colour mask");
    }
    if (header == 40) palette_ += 12;
  }

  void read_palette() {
    const std::uint32_t most = 1U << bits_;
    if (colors_ == 0 || colors_ > most) colors_ = most;
    for (std::uint32_t i = 0; i < colors_; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {  // stored as blue, green, red
        table_.at(i).at(c) = static_cast<std::uint8_t>(
            number(palette_ + i * palette_entry_ + 2 - c, 1));
      }
    }
  }

  [[nodiscard]] std::uint8_t* row(std::int64_t y) const {
    return to_ + (is_top_down_ ? y : height_ - 1 - y) * width_ * 3;
  }

  void put(std::uint8_t* at, std::uint32_t value) const {
    for (std::size_t c = 0; c < 3; ++c) {
      if (bits_ <= 8) {
        at[c] = table_.at(value).at(c);
        continue;
      }
      const std::uint32_t mask = masks_.at(c);
      const std::uint32_t most = mask >> std::countr_zero(mask);
      const std::uint64_t part = (value & mask) >> std::countr_zero(mask);
      at[c] = static_cast<std::uint8_t>(part * 255 / most);
    }
  }

  void read_rows() const {
    const auto width = static_cast<std::size_t>(width_);
    const std::size_t stride = (width * bits_ + 31) / 32 * 4;
    for (std::int64_t y = 0; y < height_; ++y) {
      const std::size_t from = pixels_ + static_cast<std::size_t>(y) * stride;
      std::uint8_t* at = row(y);
      for (std::size_t x = 0; x < width; ++x, at += 3) {
        if (bits_ < 8) {
          const std::size_t bit = x * bits_;
          const std::uint32_t byte = number(from + bit / 8, 1);
          put(at, byte >> (8 - bits_ - bit % 8) & ((1U << bits_) - 1));
        } else {
          put(at, number(from + x * (bits_ / 8), bits_ / 8));
        }
      }
    }
  }

  /// One pixel of a run; those beyond the row are dropped.
  void put_next(std::uint32_t value) {
    if (x_ < width_ && y_ < height_) put(row(y_) + x_ * 3, value);
    ++x_;
  }

  /// `count` pixels stored one by one; padded to 16 bits.
  std::size_t read_literal(std::size_t at, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (bits_ == 8) {
        put_next(number(at + i, 1));
      } else {
        put_next(number(at + i / 2, 1) >> (i % 2 == 0 ? 4 : 0) & 15U);
      }
    }
    const std::size_t bytes = bits_ == 8 ? count : (count + 1) / 2;
    return at + bytes + bytes % 2;
  }

  void read_runs() {
    for (std::size_t at = pixels_; y_ < height_;) {
      const std::uint32_t count = number(at, 1);
      const std::uint32_t value = number(at + 1, 1);
      at += 2;
      if (count > 0) {
        for (std::uint32_t i = 0; i < count; ++i) {
          put_next(bits_ == 8 ? value : value >> (i % 2 == 0 ? 4 : 0) & 15U);
        }
      } else if (value == 0) {  // end of the row
        x_ = 0;
        ++y_;
      } else if (value == 1) {  // end of the picture
        return;
      } else if (value == 2) {  // a step right and down
        x_ += number(at, 1);
        y_ += number(at + 1, 1);
        at += 2;
      } else {
        at = read_literal(at, value);
      }
    }
  }

  std::string_view bytes_;
  std::size_t pixels_ = 0, palette_ = 0, palette_entry_ = 4;
  std::int64_t width_ = 0, height_ = 0;
  std::uint32_t bits_ = 0, compression_ = kRgb, colors_ = 0;
  bool is_top_down_ = false;
  std::array<std::uint32_t, 3> masks_{};
  std::array<std::array<std::uint8_t, 3>, 256> table_{};
  std::uint8_t* to_ = nullptr;
  std::int64_t x_ = 0, y_ = 0;
};

}  // namespace

Picture decode_bmp(std::string_view bytes, const DecodeOptions& options) {
  return Decoder(bytes).decode(options);
}

}  // namespace penstock::image

#include "image/codecs/codec.h"

#include <ATen/ops/empty.h>

#include "penstock/error.h"

namespace penstock::image {

at::Tensor new_pixels(std::int64_t height, std::int64_t width,
                      std::int64_t channels, const DecodeOptions& options) {
  constexpr std::int64_t kMostSide = 65535;
  if (height < 1 || width < 1 || height > kMostSide || width > kMostSide ||
      height * width > options.max_pixels) {
    throw Error(
        Code::kData,
        str("its header says ", width, "x", height, " pixels; sides of 1..",
            kMostSide, " and at most ", options.max_pixels,
            " pixels are decoded (max_pixels of the stage)"));
  }
  return at::empty({height, width, channels}, at::kByte);
}

namespace {

/// Reads numbers of either byte order, within bounds.
class Fields {
 public:
  Fields(std::string_view data, bool is_little)
      : data_(data), is_little_(is_little) {}
  [[nodiscard]] bool has(std::size_t at, std::size_t count) const {
    return at <= data_.size() && count <= data_.size() - at;
  }
  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t bytes) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::size_t byte = is_little_ ? bytes - 1 - i : i;
      value = value << 8 | static_cast<unsigned char>(data_[at + byte]);
    }
    return value;
  }

 private:
  std::string_view data_;
  bool is_little_;
};

}  // namespace

int exif_orientation(std::string_view exif) {
  constexpr std::uint32_t kOrientation = 0x0112;
  constexpr std::size_t kEntry = 12;
  if (exif.size() < 8) return 1;
  const bool is_little = exif.substr(0, 2) == "II";
  if (!is_little && exif.substr(0, 2) != "MM") return 1;
  const Fields fields(exif, is_little);
  const std::size_t directory = fields.number(4, 4);
  if (!fields.has(directory, 2)) return 1;
  const std::uint32_t count = fields.number(directory, 2);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t entry = directory + 2 + i * kEntry;
    if (!fields.has(entry, kEntry)) return 1;
    if (fields.number(entry, 2) != kOrientation) continue;
    const std::uint32_t value = fields.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace penstock::image

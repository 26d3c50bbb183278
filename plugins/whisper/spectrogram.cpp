#include "whisper/spectrogram.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "penstock/error.h"

namespace penstock::whisper {
namespace {

constexpr std::int64_t kMostColumns = 8000;
constexpr std::int64_t kRowsPerMel = 3;

/// Colours from dark to bright, at even distances: red, green, blue.
constexpr std::array<std::array<double, 3>, 5> kColours = {{{0, 0, 4},
                                                            {81, 18, 124},
                                                            {183, 55, 121},
                                                            {252, 137, 97},
                                                            {252, 253, 191}}};

std::string big_endian(std::uint32_t number) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(number >> static_cast<unsigned>(shift) & 0xFFU);
  }
  return out;
}

/// A chunk of a PNG file: length, type, data, check sum.
std::string chunk(std::string_view type, const std::string& data) {
  const std::string body = std::string(type) + data;
  const auto sum = static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(body.data()),
            static_cast<uInt>(body.size())));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body +
         big_endian(sum);
}

std::string palette() {
  std::string out;
  for (int i = 0; i < 256; ++i) {
    const double at = i / 255.0 * (kColours.size() - 1);
    const auto low =
        std::min(static_cast<std::size_t>(at), kColours.size() - 2);
    for (std::size_t c = 0; c < 3; ++c) {
      const double from = kColours[low][c];
      const double to = kColours[low + 1][c];
      out += static_cast<char>(
          std::lround(from + (to - from) * (at - static_cast<double>(low))));
    }
  }
  return out;
}

std::string compressed(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  const int error = compress(reinterpret_cast<Bytef*>(out.data()), &size,
                             reinterpret_cast<const Bytef*>(bytes.data()),
                             static_cast<uLong>(bytes.size()));
  if (error != Z_OK) {
    throw Error(Code::kInternal, str("zlib's compress() says ", error));
  }
  out.resize(size);
  return out;
}

/// Pixels 0 to 255 [mels * kRowsPerMel, columns], the highest mel first, each
/// row behind the 0 that says it is not filtered.
std::string pixels(const at::Tensor& features, std::int64_t frames,
                   std::int64_t columns) {
  const auto shown = features.narrow(1, 0, frames).contiguous();
  const auto* value = shown.const_data_ptr<float>();
  const auto [low, high] = std::minmax_element(value, value + shown.numel());
  const float scale = *high > *low ? 255 / (*high - *low) : 0;
  std::string out;
  for (std::int64_t mel = features.size(0) - 1; mel >= 0; --mel) {
    std::string row(1, '\0');
    for (std::int64_t i = 0; i < columns; ++i) {
      const float* begin = value + mel * frames + i * frames / columns;
      const float* end = value + mel * frames + (i + 1) * frames / columns;
      const float most = *std::max_element(begin, end);
      row += static_cast<char>(std::lround((most - *low) * scale));
    }
    for (std::int64_t r = 0; r < kRowsPerMel; ++r) out += row;
  }
  return out;
}

}  // namespace

std::string draw_spectrogram(const at::Tensor& features, std::int64_t frames) {
  frames = std::clamp<std::int64_t>(frames, 1, features.size(1));
  const std::int64_t columns = std::min(frames, kMostColumns);
  const std::int64_t rows = features.size(0) * kRowsPerMel;
  constexpr std::string_view kDepthOfPalette("\x08\x03\0\0\0", 5);
  return "\x89PNG\r\n\x1A\n" +
         chunk("IHDR", big_endian(static_cast<std::uint32_t>(columns)) +
                           big_endian(static_cast<std::uint32_t>(rows)) +
                           std::string(kDepthOfPalette)) +
         chunk("PLTE", palette()) +
         chunk("IDAT", compressed(pixels(features, frames, columns))) +
         chunk("IEND", "");
}

}  // namespace penstock::whisper

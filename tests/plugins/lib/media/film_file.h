// Films made in a test, with whatever a header can say of them. The codec is
// lossless where the container takes FFV1, so pixels can be compared.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

extern "C" {
#include <libavutil/pixfmt.h>
#include <libavutil/rational.h>
}

namespace penstock::media {

/// Y, U, V of the four quarters of each picture: top left, top right, bottom
/// left, bottom right.
using Quarters = std::array<std::array<std::uint8_t, 3>, 4>;

struct Film {
  std::string container = "matroska";  ///< or "mov", then in MPEG-4
  int width = 32;
  int height = 16;
  std::vector<std::int64_t> times = {0, 40, 80};  ///< of its pictures, in ms
  /// Of the first picture; Y is 10 more in each next one, up to the fifth, and
  /// then again.
  Quarters quarters = {
      {{200, 128, 128}, {150, 128, 128}, {100, 128, 128}, {50, 128, 128}}};
  AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
  AVColorRange range = AVCOL_RANGE_UNSPECIFIED;
  AVRational aspect = {0, 1};              ///< of a pixel; 0: not stated
  std::vector<std::int32_t> display = {};  ///< nine numbers, or none
};

/// The file's bytes; throws std::runtime_error where FFmpeg cannot make it.
[[nodiscard]] std::string to_bytes(const Film& film);

}  // namespace penstock::media

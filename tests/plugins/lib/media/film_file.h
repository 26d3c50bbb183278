// Films and recordings made in a test, with whatever a header can say of them.
// The codec is lossless where the container takes FFV1, so pixels can be
// compared.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include <libavutil/pixfmt.h>
#include <libavutil/rational.h>
}

namespace penstock::media {

/// Y, U, V of the four quarters of each picture: top left, top right, bottom
/// left, bottom right.
using Quarters = std::array<std::array<std::uint8_t, 3>, 4>;

/// A sound track of 16-bit samples of one channel.
struct Sound {
  std::string codec =
      "pcm_s16le";  ///< or another that FFmpeg encodes in 16 bits
  int rate = 16000;
  std::vector<std::int16_t> samples = {};  ///< empty: no sound track
  std::int64_t begin = 0;                  ///< of the first sample, in ms
  /// Milliseconds without a time stamp, in the middle: a hole.
  std::int64_t hole = 0;
};

/// So many seconds that all have this value.
[[nodiscard]] std::vector<std::int16_t> even_sound(double seconds,
                                                   std::int16_t value = 8192,
                                                   int rate = 16000);

struct Film {
  std::string container = "matroska";  ///< or "mov", then in MPEG-4
  int width = 32;
  int height = 16;
  /// Of its pictures, in ms; empty: no pictures.
  std::vector<std::int64_t> times = {0, 40, 80};
  /// Of the first picture; Y is 10 more in each next one, up to the fifth, and
  /// then again.
  Quarters quarters = {
      {{200, 128, 128}, {150, 128, 128}, {100, 128, 128}, {50, 128, 128}}};
  AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
  AVColorRange range = AVCOL_RANGE_UNSPECIFIED;
  AVRational aspect = {0, 1};              ///< of a pixel; 0: not stated
  std::vector<std::int32_t> display = {};  ///< nine numbers, or none
  Sound sound = {};
  /// Of the muxer: {"movflags", "frag_keyframe"}.
  std::vector<std::pair<std::string, std::string>> options = {};
};

/// The file's bytes; throws std::runtime_error where FFmpeg cannot make it.
[[nodiscard]] std::string to_bytes(const Film& film);

}  // namespace penstock::media

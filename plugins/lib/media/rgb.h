// RGB: a decoded frame as the pixels a person sees: 8-bit red, green and blue
// by the frame's own colour matrix and range, upright, with square pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "lib/media/ffmpeg.h"

struct SwsContext;

namespace penstock::media {

/// Turn of a picture before it is shown: first rows and columns change places,
/// then rows or columns are mirrored.
struct Turn {
  bool is_transposed = false;
  bool is_mirrored = false;     ///< left becomes right
  bool is_upside_down = false;  ///< top becomes bottom
};

/// The turn that a display matrix of 9 numbers (ISO 14496-12) asks for, as the
/// nearest of the eight turns by quarters.
[[nodiscard]] Turn turn_of(const std::int32_t* matrix);

struct Size {
  int width = 0;
  int height = 0;
  /// Bytes of a picture of this size in RGB.
  [[nodiscard]] std::size_t bytes() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
           3;
  }
};

/// Converts decoded frames, on one thread at a time.
class RgbConverter {
 public:
  /// `is_bt709`: colour matrix of frames that name none is BT.709, otherwise
  /// BT.601. Frames that name no range have the limited one.
  RgbConverter(Turn turn, bool is_bt709);
  RgbConverter(const RgbConverter&) = delete;
  RgbConverter& operator=(const RgbConverter&) = delete;
  ~RgbConverter();

  /// Size of the picture that convert() writes; `aspect` is a pixel's width /
  /// height, 1 where the frame's pixels stay as they are.
  [[nodiscard]] Size size(const AVFrame& frame, AVRational aspect) const;
  /// Writes [height, width, 3] bytes; `file` is for messages. Throws
  /// Error(kData) where the frame's form is not known.
  void convert(const AVFrame& frame, AVRational aspect, const std::string& file,
               std::uint8_t* to);

 private:
  void prepare(const AVFrame& frame, int width, const std::string& file);
  void turn(std::uint8_t* to) const;

  Turn turn_;
  bool is_bt709_;
  SwsContext* scaler_ = nullptr;
  Frame rgb_;  ///< as stored, before it is turned
};

}  // namespace penstock::media

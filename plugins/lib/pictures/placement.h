// Where what a model found in its pixels lies in the picture that they were
// made of.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "penstock/notes.h"

namespace penstock::pictures {

/// A box by its corners, x to the right and y down.
struct Box {
  float left = 0, top = 0, right = 0, bottom = 0;

  [[nodiscard]] float area() const { return (right - left) * (bottom - top); }
};

/// Of an item that a stage made of a picture, by its notes `seen`, `width` and
/// `height`. Places are between pixels: 0 is the left edge of the first one.
class Placement {
 public:
  /// Nothing: the item has no such notes.
  [[nodiscard]] static std::optional<Placement> of(const Notes& notes);

  [[nodiscard]] double x(double in_pixels) const;
  [[nodiscard]] double y(double in_pixels) const;
  /// The other way: where a place of the picture lies in the pixels.
  [[nodiscard]] double pixel_x(double in_picture) const;
  [[nodiscard]] double pixel_y(double in_picture) const;
  /// In the picture, cut to it; empty (no area) where it lies outside.
  [[nodiscard]] Box in_picture(const Box& in_pixels) const;
  [[nodiscard]] std::int64_t width() const { return width_; }
  [[nodiscard]] std::int64_t height() const { return height_; }

 private:
  std::vector<std::int64_t> seen_;
  std::int64_t width_ = 0, height_ = 0;
};

}  // namespace penstock::pictures

// The forms in which detectors give boxes, as corners in the model's pixels.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/nms.h"

namespace penstock::core {

/// The pixels that the model saw.
struct PixelSize {
  std::int64_t width = 0, height = 0;
};

struct BoxForm {
  /// Of four numbers a box: xyxy, yxyx, xywh (left and top), cxcywh. anchors:
  /// centre and size as offsets from a grid's cells. dfl: for each side a
  /// distribution of its distance from the cell's centre.
  std::string form = "xyxy";
  bool is_relative = false;  ///< numbers are shares of the model's pixels
  /// Of anchors and dfl, for each grid, one behind the other: pixels from one
  /// cell to the next, and how many boxes a cell has (1 where none is said).
  std::vector<std::int64_t> strides, per_cell;
};

/// The boxes of an item, f32[N, 4 or more], on the CPU.
class RawBoxes {
 public:
  /// Throws Error(kData) where the tensor is not of the form: what it is, and
  /// what was expected. `name` is for that.
  RawBoxes(const at::Tensor& numbers, const std::string& name,
           const BoxForm& form, const PixelSize& size);

  [[nodiscard]] Box at(std::int64_t i) const;

 private:
  /// Of a grid, where a box belongs.
  struct Cell {
    float x, y;    ///< its middle
    float stride;  ///< its side
  };
  void make_cells();
  [[nodiscard]] Box of_four(const float* four) const;
  [[nodiscard]] Box of_distances(const float* row, const Cell& cell) const;

  at::Tensor numbers_;
  const BoxForm& form_;
  PixelSize size_;
  std::vector<Cell> cells_;  ///< by box; empty: the form has none
};

}  // namespace penstock::core

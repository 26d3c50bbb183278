#include "core/raw_boxes.h"

#include <algorithm>
#include <cmath>

#include "penstock/error.h"

namespace penstock::core {
namespace {

/// The mean place of a distribution that is given as logits.
float expectation(const float* logits, std::int64_t count) {
  const float most = *std::max_element(logits, logits + count);
  float sum = 0;
  float weighted = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float weight = std::exp(logits[i] - most);
    sum += weight;
    weighted += weight * static_cast<float>(i);
  }
  return weighted / sum;
}

std::string shape_of(const at::Tensor& tensor) {
  std::string out;
  for (const std::int64_t size : tensor.sizes()) {
    out += str(out.empty() ? "[" : ",", size);
  }
  return out + "]";
}

}  // namespace

RawBoxes::RawBoxes(const at::Tensor& numbers, const std::string& name,
                   const BoxForm& form, const PixelSize& size)
    : numbers_(numbers.contiguous()), form_(form), size_(size) {
  const bool is_dfl = form.form == "dfl";
  if (numbers_.dim() != 2 || numbers_.size(1) < 4 ||
      (is_dfl && numbers_.size(1) % 4 != 0)) {
    throw Error(Code::kData, str("'", name, "' is ", shape_of(numbers_),
                                 " for an item, expected [boxes, ",
                                 is_dfl ? "4 times bins" : "4 or more", "]"));
  }
  if (!is_dfl && form.form != "anchors") return;
  make_cells();
  if (static_cast<std::int64_t>(cells_.size()) == numbers_.size(0)) return;
  throw Error(
      Code::kData,
      str("'", name, "' has ", numbers_.size(0), " boxes, but pixels of ",
          size.width, " by ", size.height, " make ", cells_.size(),
          " cells with decode.strides and decode.per_cell as they "
          "are"));
}

void RawBoxes::make_cells() {
  for (std::size_t grid = 0; grid < form_.strides.size(); ++grid) {
    const std::int64_t stride = form_.strides[grid];
    const std::int64_t boxes =
        grid < form_.per_cell.size() ? form_.per_cell[grid] : 1;
    const std::int64_t columns = (size_.width + stride - 1) / stride;
    const std::int64_t rows = (size_.height + stride - 1) / stride;
    if (columns * rows * boxes > numbers_.size(0)) {
      cells_.clear();  // more than there are: the caller says so
      return;
    }
    const auto side = static_cast<float>(stride);
    for (std::int64_t i = 0; i < columns * rows * boxes; ++i) {
      const std::int64_t cell = i / boxes;
      cells_.push_back({.x = (static_cast<float>(cell % columns) + 0.5F) * side,
                        .y = (static_cast<float>(cell / columns) + 0.5F) * side,
                        .stride = side});
    }
  }
}

Box RawBoxes::of_four(const float* four) const {
  const float x = form_.is_relative ? static_cast<float>(size_.width) : 1;
  const float y = form_.is_relative ? static_cast<float>(size_.height) : 1;
  if (form_.form == "yxyx") {
    return {four[1] * x, four[0] * y, four[3] * x, four[2] * y};
  }
  const float a = four[0] * x;
  const float b = four[1] * y;
  const float c = four[2] * x;
  const float d = four[3] * y;
  if (form_.form == "xyxy") return {a, b, c, d};
  if (form_.form == "xywh") return {a, b, a + c, b + d};
  return {a - c / 2, b - d / 2, a + c / 2, b + d / 2};
}

Box RawBoxes::of_distances(const float* row, const Cell& cell) const {
  const std::int64_t bins = numbers_.size(1) / 4;
  const auto side = [&](std::int64_t which) {
    return expectation(row + which * bins, bins) * cell.stride;
  };
  return {cell.x - side(0), cell.y - side(1), cell.x + side(2),
          cell.y + side(3)};
}

Box RawBoxes::at(std::int64_t i) const {
  const float* const row =
      numbers_.const_data_ptr<float>() + i * numbers_.size(1);
  if (cells_.empty()) return of_four(row);
  const Cell& cell = cells_[static_cast<std::size_t>(i)];
  if (form_.form == "dfl") return of_distances(row, cell);
  const Box box = of_four(row);
  return {box.left + cell.x, box.top + cell.y, box.right + cell.x,
          box.bottom + cell.y};
}

}  // namespace penstock::core

#include "image/thumbnail.h"

#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>

#include "penstock/keys.h"

namespace penstock::image {

at::Tensor shown_frame(const Item& item) {
  constexpr std::int64_t kSide = 160;
  const at::Tensor* square = find(item.inputs, "thumbnail");
  if (square == nullptr) return at::full({kSide, kSide, 3}, 0, at::kByte);
  const auto height = static_cast<double>(get(item.notes, kHeight));
  const auto width = static_cast<double>(get(item.notes, kWidth));
  const std::int64_t side = square->size(0);
  const double share = static_cast<double>(side) / std::max(height, width);
  const auto inner = [&](double whole) {
    return std::clamp<std::int64_t>(std::llround(share * whole), 1, side);
  };
  return square->narrow(0, (side - inner(height)) / 2, inner(height))
      .narrow(1, (side - inner(width)) / 2, inner(width));
}

}  // namespace penstock::image

// A frame of a film as image.fit made it small, for those who draw it.
#pragma once

#include <ATen/core/Tensor.h>

#include "penstock/sequence.h"

namespace penstock::image {

/// The item's `thumbnail` without the borders of its square, u8[H,W,3]; black
/// where preprocess made none.
[[nodiscard]] at::Tensor shown_frame(const Item& item);

}  // namespace penstock::image

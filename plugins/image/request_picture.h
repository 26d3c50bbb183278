// The picture of a request as it was, for stages that draw on it or cut it.
#pragma once

#include <ATen/core/Tensor.h>

#include "penstock/request.h"

namespace penstock::image {

/// The request's input `image`, decoded again: u8[H,W,3], upright.
[[nodiscard]] at::Tensor request_picture(const Request& request);

}  // namespace penstock::image

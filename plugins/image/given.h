// A picture that a program hands in as an array, not as a file.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

#include "penstock/request.h"

namespace penstock::image {

/// The request's input of that name where it is a tensor u8[H,W], u8[H,W,1]
/// (grey), u8[H,W,3] or u8[H,W,4], as u8[H,W,3 or 4]: rgb is the caller's own
/// memory. Nothing: it is a file. Throws Error(kData) for another tensor, or
/// for more than `max_pixels`.
[[nodiscard]] std::optional<at::Tensor> given_pixels(const Request& request,
                                                     const std::string& name,
                                                     std::int64_t max_pixels);

}  // namespace penstock::image

// Lists of numbers within lists, as JSON has them, as tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace penstock::core {

/// `name` is for messages. Throws Error(kData) that says where: for what is no
/// JSON or no list of numbers, lists of different lengths, numbers that the
/// dtype cannot hold, and more than `max_values` numbers.
[[nodiscard]] at::Tensor json_tensor(const std::string& text,
                                     const std::string& name,
                                     at::ScalarType dtype,
                                     std::int64_t max_values);

}  // namespace penstock::core

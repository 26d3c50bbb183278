// Tensors of numbers that a request brings, as tensors of ours.
#pragma once

#include <string_view>
#include <vector>

#include "pipeline_serve/api/inference/tensor_data.h"

namespace penstock::serve {

/// The elements of `data`, which is flat or nested as the shape. Throws
/// Error(kData).
[[nodiscard]] std::vector<const JsonValue*> flat(const TensorShape& tensor,
                                                 const JsonView& data);

/// A tensor for each request, without the first dimension. Throws Error(kData)
/// for an element of another kind, or beyond its type.
[[nodiscard]] std::vector<Value> rows_of(
    const TensorShape& tensor, const std::vector<const JsonValue*>& elements,
    const JsonView& data);
/// The same of little-endian bytes.
[[nodiscard]] std::vector<Value> rows_of(const TensorShape& tensor,
                                         std::string_view bytes);

}  // namespace penstock::serve

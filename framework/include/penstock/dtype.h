// The words that ports have for the dtypes of tensors: "f32", "i64", "bool".
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <string_view>

#include "penstock/export.h"

namespace penstock {

/// Nothing for words of what is no tensor: tokens, text, media.
[[nodiscard]] PENSTOCK_API std::optional<at::ScalarType> scalar_type_of(
    std::string_view word);
/// "f32"; ATen's own name where ports have no word for it.
[[nodiscard]] PENSTOCK_API std::string dtype_word(at::ScalarType type);
/// "f32[2,3]", for messages; "nothing" of a tensor that is none.
[[nodiscard]] PENSTOCK_API std::string tensor_type(const at::Tensor& tensor);

}  // namespace penstock

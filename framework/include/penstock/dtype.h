// Ports and tensors: the words that ports have for dtypes ("f32", "i64",
// "bool"), and whether a tensor fits a port.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/export.h"
#include "penstock/port.h"

namespace penstock {

/// Nothing for words of what is no tensor: tokens, text, media.
[[nodiscard]] PENSTOCK_API std::optional<at::ScalarType> scalar_type_of(
    std::string_view word);
/// "f32"; ATen's own name where ports have no word for it.
[[nodiscard]] PENSTOCK_API std::string dtype_word(at::ScalarType type);
/// "f32[2,3]", for messages; "nothing" of a tensor that is none.
[[nodiscard]] PENSTOCK_API std::string tensor_type(const at::Tensor& tensor);

/// A port that is a tensor, read once: a look at one then costs nanoseconds.
struct TensorShape {
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> dims;  ///< without the batch's; -1: any number
  bool has_batch = false;          ///< B or R stands before them
  bool has_any_dims = false;       ///< others may follow
};
/// Nothing for a port of what is no tensor.
[[nodiscard]] PENSTOCK_API std::optional<TensorShape> tensor_shape(
    const Port& port);
/// Whether a tensor has that dtype and those dims. `sequences`: the size of its
/// leading batch dim; none: it has none, as an item's own.
[[nodiscard]] PENSTOCK_API bool fits(
    const at::Tensor& tensor, const TensorShape& shape,
    std::optional<std::int64_t> sequences = std::nullopt);

}  // namespace penstock

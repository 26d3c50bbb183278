#include "penstock/dtype.h"

#include <algorithm>
#include <array>
#include <utility>

#include "penstock/error.h"

namespace penstock {
namespace {

using at::ScalarType;

constexpr std::array<std::pair<std::string_view, ScalarType>, 10> kDtypes{
    {{"f64", ScalarType::Double},
     {"f32", ScalarType::Float},
     {"f16", ScalarType::Half},
     {"bf16", ScalarType::BFloat16},
     {"i64", ScalarType::Long},
     {"i32", ScalarType::Int},
     {"i16", ScalarType::Short},
     {"i8", ScalarType::Char},
     {"u8", ScalarType::Byte},
     {"bool", ScalarType::Bool}}};

}  // namespace

std::optional<ScalarType> scalar_type_of(std::string_view word) {
  const auto* found =
      std::find_if(kDtypes.begin(), kDtypes.end(),
                   [&](const auto& each) { return each.first == word; });
  if (found == kDtypes.end()) return std::nullopt;
  return found->second;
}

std::string dtype_word(ScalarType type) {
  const auto* found =
      std::find_if(kDtypes.begin(), kDtypes.end(),
                   [&](const auto& each) { return each.second == type; });
  return found == kDtypes.end() ? c10::toString(type)
                                : std::string(found->first);
}

std::string tensor_type(const at::Tensor& tensor) {
  if (!tensor.defined()) return "nothing";
  std::string dims;
  for (const std::int64_t size : tensor.sizes()) {
    dims += str(dims.empty() ? "" : ",", size);
  }
  return str(dtype_word(tensor.scalar_type()), "[", dims, "]");
}

std::optional<TensorShape> tensor_shape(const Port& port) {
  const auto dtype = scalar_type_of(port.dtype);
  if (!dtype) return std::nullopt;
  TensorShape out{
      .dtype = *dtype, .dims = {}, .has_batch = has_batch_dim(port)};
  for (const std::string& dim : own_dims(port)) {
    out.has_any_dims = dim == "...";
    if (out.has_any_dims) break;
    out.dims.push_back(fixed_dim(dim).value_or(-1));
  }
  return out;
}

bool fits(const at::Tensor& tensor, const TensorShape& shape,
          std::optional<std::int64_t> sequences) {
  if (tensor.scalar_type() != shape.dtype) return false;
  const std::size_t lead = sequences ? 1 : 0;
  const std::size_t rank = shape.dims.size() + lead;
  const auto sizes = tensor.sizes();
  if (sizes.size() < rank) return false;
  if (sizes.size() > rank && !shape.has_any_dims) return false;
  if (sequences && sizes[0] != *sequences) return false;
  for (std::size_t i = 0; i < shape.dims.size(); ++i) {
    if (shape.dims[i] >= 0 && sizes[i + lead] != shape.dims[i]) return false;
  }
  return true;
}

}  // namespace penstock

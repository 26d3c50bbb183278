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

}  // namespace penstock

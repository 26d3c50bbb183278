#include "pipeline_serve/api/inference/number_tensors.h"

#include <ATen/ops/empty.h>

#include <bit>
#include <cstring>
#include <limits>
#include <span>

namespace penstock::serve {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are little-endian");

using Elements = std::vector<const JsonValue*>;

const JsonValue::Array* array_of(const JsonValue& value) {
  return std::get_if<JsonValue::Array>(&value.data);
}

/// False: it is not nested as the shape.
bool add_nested(const JsonValue& value, std::span<const std::int64_t> shape,
                Elements& to) {
  if (shape.empty()) {
    to.push_back(&value);
    return array_of(value) == nullptr;
  }
  const auto* const array = array_of(value);
  if (array == nullptr ||
      array->size() != static_cast<std::size_t>(shape.front())) {
    return false;
  }
  for (const JsonValue& each : *array) {
    if (!add_nested(each, shape.subspan(1), to)) return false;
  }
  return true;
}

template <class T>
bool read(const JsonValue& value, T& out) {
  if constexpr (std::is_same_v<T, bool>) {
    const bool* given = std::get_if<bool>(&value.data);
    if (given != nullptr) out = *given;
    return given != nullptr;
  } else if constexpr (std::is_integral_v<T>) {
    const auto* given = std::get_if<std::int64_t>(&value.data);
    if (given == nullptr || *given < std::numeric_limits<T>::min() ||
        *given > std::numeric_limits<T>::max()) {
      return false;
    }
    out = static_cast<T>(*given);
    return true;
  } else {
    const auto* whole = std::get_if<std::int64_t>(&value.data);
    const auto* given = std::get_if<double>(&value.data);
    if (whole == nullptr && given == nullptr) return false;
    const double number =
        whole != nullptr ? static_cast<double>(*whole) : *given;
    if (std::abs(number) > std::numeric_limits<T>::max()) return false;
    out = static_cast<T>(number);
    return true;
  }
}

template <class T>
void fill(at::Tensor& to, const TensorShape& tensor, const Elements& elements) {
  T* at = to.mutable_data_ptr<T>();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (read(*elements[i], at[i])) continue;
    throw Error(Code::kData, str(tensor.place, ".data: element ", i, " is no ",
                                 tensor.input->datatype->name));
  }
}

at::Tensor new_tensor(const TensorShape& tensor) {
  return at::empty(tensor.shape,
                   at::TensorOptions().dtype(tensor.input->datatype->type));
}

std::vector<Value> split(const TensorShape& tensor, const at::Tensor& whole) {
  std::vector<Value> out;
  for (std::int64_t i = 0; i < whole.size(0); ++i) {
    out.push_back(Tensors{{tensor.input->name, whole.select(0, i)}});
  }
  return out;
}

}  // namespace

std::vector<const JsonValue*> flat(const TensorShape& tensor,
                                   const JsonView& data) {
  const auto* const array = array_of(data.value());
  if (array == nullptr) data.fail("is no list");
  Elements out;
  const bool is_flat = array->empty() || array_of(array->front()) == nullptr;
  if (!is_flat) {
    if (add_nested(data.value(), tensor.shape, out)) return out;
    data.fail("is not nested as its shape says");
  }
  if (array->size() != tensor.elements()) {
    data.fail(str("has ", array->size(), " elements, but its shape has ",
                  tensor.elements()));
  }
  for (const JsonValue& each : *array) out.push_back(&each);
  return out;
}

std::vector<Value> rows_of(const TensorShape& tensor, const Elements& elements,
                           const JsonView& data) {
  at::Tensor out = new_tensor(tensor);
  switch (tensor.input->datatype->type) {
    case at::ScalarType::Bool:
      fill<bool>(out, tensor, elements);
      break;
    case at::ScalarType::Byte:
      fill<std::uint8_t>(out, tensor, elements);
      break;
    case at::ScalarType::Char:
      fill<std::int8_t>(out, tensor, elements);
      break;
    case at::ScalarType::Short:
      fill<std::int16_t>(out, tensor, elements);
      break;
    case at::ScalarType::Int:
      fill<std::int32_t>(out, tensor, elements);
      break;
    case at::ScalarType::Long:
      fill<std::int64_t>(out, tensor, elements);
      break;
    case at::ScalarType::Float:
      fill<float>(out, tensor, elements);
      break;
    case at::ScalarType::Double:
      fill<double>(out, tensor, elements);
      break;
    default:
      data.fail(str("is JSON, which ", tensor.input->datatype->name,
                    " has none of; send it as binary data"));
  }
  return split(tensor, out);
}

std::vector<Value> rows_of(const TensorShape& tensor, std::string_view bytes) {
  const std::size_t wanted = tensor.elements() * tensor.input->datatype->bytes;
  if (bytes.size() != wanted) {
    throw Error(Code::kData, str(tensor.place, " has ", bytes.size(),
                                 " bytes, but its shape has ", wanted));
  }
  at::Tensor out = new_tensor(tensor);
  std::memcpy(out.mutable_data_ptr(), bytes.data(), bytes.size());
  if (tensor.input->datatype->type == at::ScalarType::Bool) {
    // Any byte but 0 and 1 would be no bool of C++.
    auto* at = static_cast<unsigned char*>(out.mutable_data_ptr());
    for (std::size_t i = 0; i < bytes.size(); ++i) at[i] = at[i] != 0 ? 1 : 0;
  }
  return split(tensor, out);
}

}  // namespace penstock::serve

#include "penstock/value.h"

#include "penstock/error.h"

namespace penstock {

Source::~Source() = default;

const at::Tensor* find(const Tensors& tensors, std::string_view name) {
  for (const auto& [key, tensor] : tensors) {
    if (key == name) return &tensor;
  }
  return nullptr;
}

const at::Tensor& get(const Tensors& tensors, std::string_view name) {
  if (const at::Tensor* found = find(tensors, name)) return *found;
  std::string there;
  for (const auto& [key, tensor] : tensors) there += " " + key;
  throw Error(Code::kInternal, str("no tensor '", name, "' among:", there));
}

}  // namespace penstock

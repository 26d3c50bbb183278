// What libtorch without Python lacks of its `meta` device, on which tensors
// have shapes and no numbers: kernels that say the shape of what they would
// give, and refuse tensors of other devices as a GPU's do. Linked into tests
// that run a model there to see that it reads nothing back and mixes no
// devices.
#include <ATen/ExpandUtils.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/result_type.h>
#include <torch/library.h>

#include <utility>

namespace penstock {
namespace {

void check_meta(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.is_meta() || tensor.dim() == 0, "a tensor is on ",
              tensor.device(), ", the others are on meta");
}

at::Tensor index_select(const at::Tensor& self, std::int64_t dim,
                        const at::Tensor& index) {
  check_meta(self);
  check_meta(index);
  auto sizes = self.sizes().vec();
  sizes.at(static_cast<std::size_t>(dim < 0 ? dim + self.dim() : dim)) =
      index.numel();
  return at::empty(sizes, self.options());
}

at::Tensor where(const at::Tensor& condition, const at::Tensor& self,
                 const at::Tensor& other) {
  for (const auto* each : {&condition, &self, &other}) check_meta(*each);
  const auto sizes = at::infer_size(
      at::infer_size(condition.sizes(), self.sizes()), other.sizes());
  return at::empty(sizes,
                   condition.options().dtype(at::result_type(self, other)));
}

at::Tensor& where_out(const at::Tensor& condition, const at::Tensor& self,
                      const at::Tensor& other, at::Tensor& out) {
  out.resize_(where(condition, self, other).sizes());
  return out;
}

at::Tensor& unary_out(const at::Tensor& self, at::Tensor& out) {
  check_meta(self);
  return out.resize_(self.sizes()), out;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm(
    const at::Tensor& x, c10::SymIntArrayRef normed,
    const std::optional<at::Tensor>& weight,
    const std::optional<at::Tensor>& bias, double /*epsilon*/) {
  for (const auto& each : {weight, bias}) {
    if (each) check_meta(*each);
  }
  auto sizes = x.sizes().vec();
  sizes.resize(sizes.size() - normed.size());
  const auto moments = at::empty(sizes, x.options());
  return {at::empty(x.sizes(), x.options()), moments, moments};
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias,
                       c10::SymIntArrayRef stride, c10::SymIntArrayRef padding,
                       c10::SymIntArrayRef dilation, bool /*transposed*/,
                       c10::SymIntArrayRef /*output_padding*/,
                       c10::SymInt all_groups) {
  const c10::SymInt groups = std::move(all_groups);
  check_meta(x);
  check_meta(weight);
  if (bias) check_meta(*bias);
  TORCH_CHECK(x.size(1) == weight.size(1) * groups.expect_int(), "channels");
  std::vector<std::int64_t> sizes{x.size(0), weight.size(0)};
  for (std::size_t i = 0; i < stride.size(); ++i) {
    const auto dim = static_cast<std::int64_t>(i) + 2;
    const std::int64_t reach =
        dilation[i].expect_int() * (weight.size(dim) - 1) + 1;
    sizes.push_back((x.size(dim) + 2 * padding[i].expect_int() - reach) /
                        stride[i].expect_int() +
                    1);
  }
  return at::empty(sizes, x.options());
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, Meta, m) {
  m.impl("index_select", index_select);
  m.impl("where.self", where);
  m.impl("where.self_out", where_out);
  m.impl("abs.out", unary_out);
  m.impl("logical_not.out", unary_out);
  m.impl("native_layer_norm", layer_norm);
  m.impl("convolution", convolution);
}

}  // namespace penstock

#include "lib/exported/bind.h"

#include <ATen/ops/clamp.h>
#include <ATen/ops/movedim.h>
#include <ATen/ops/round.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>

#include "penstock/dtype.h"
#include "penstock/error.h"

namespace penstock::exported {
namespace {

using From = ModelInput::From;

/// "f32[B,3,224,224]", as the file has it.
std::string wanted(const ModelInput& input) {
  std::string dims = input.file.has_rank ? "" : "...";
  for (const auto& dim : input.dims) dims += (dims.empty() ? "" : ",") + dim;
  return str(input.file.dtype, "[", dims, "]");
}

/// model_ports() lets no other dtype through.
at::ScalarType dtype_of(const ModelInput& input) {
  const auto type = scalar_type_of(input.file.dtype);
  if (type) return *type;
  throw Error(Code::kInternal,
              str("'", input.file.dtype, "' is no dtype of numbers"));
}

/// f32[..., C, H, W] as [..., H, W, C]. ATen's copy across strides takes ten
/// times as long.
at::Tensor interleaved(const at::Tensor& given, const KeptMemory& memory) {
  const at::Tensor planes = given.contiguous();
  std::vector<std::int64_t> sizes = planes.sizes().vec();
  std::rotate(sizes.end() - 3, sizes.end() - 2, sizes.end());
  at::Tensor out = memory.empty(sizes, at::kFloat);
  const std::int64_t channels = sizes.back();
  const std::int64_t pixels = planes.size(-2) * planes.size(-1);
  const auto* from = planes.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  for (std::int64_t left = planes.numel(); left > 0;
       left -= channels * pixels, to += channels * pixels) {
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      for (std::int64_t i = 0; i < pixels; ++i) {
        to[i * channels + channel] = *from++;
      }
    }
  }
  return out;
}

/// What the pipeline gives as the file has it.
at::Tensor in_file_order(const ModelInput& input, const at::Tensor& given,
                         const KeptMemory& memory) {
  if (!input.is_channels_last || !given.defined() || given.dim() < 3) {
    return given;
  }
  at::Tensor turned = given.movedim(-3, -1);
  const bool is_real = given.scalar_type() == at::kFloat;
  if (is_real && given.is_cpu() && !turned.is_contiguous()) {
    turned = interleaved(given, memory);
  }
  if (input.file.dtype != "u8" || !is_real) return turned;
  return turned.round().clamp(0, 255).to(at::kByte);
}

at::Tensor constant(const ModelInput& input,
                    const std::vector<std::int64_t>& shape) {
  const auto dtype = dtype_of(input);
  if (input.constant.size() == 1) {
    return at::zeros(shape, dtype).fill_(input.constant.front());
  }
  return at::tensor(input.constant, at::kDouble).to(dtype).view(shape);
}

}  // namespace

void Binder::check(const ModelInput& input, const at::Tensor& tensor,
                   std::vector<Known>& known) const {
  const auto& dims = input.dims;
  const auto rank = static_cast<std::size_t>(tensor.dim());
  bool fits = tensor.scalar_type() == dtype_of(input) &&
              (!input.file.has_rank || rank == dims.size());
  if (!input.file.has_rank) return;
  for (std::size_t i = 0; fits && i < rank; ++i) {
    const auto size = tensor.size(static_cast<std::int64_t>(i));
    check_range(input, tensor, i);
    if (const auto fixed = fixed_dim(dims[i])) {
      fits = size == *fixed;
      continue;
    }
    const auto same =
        std::find_if(known.begin(), known.end(),
                     [&](const Known& each) { return each.dim == dims[i]; });
    if (same == known.end()) {
      known.push_back({dims[i], input.port.name, size});
    } else if (same->size != size) {
      throw Error(Code::kData,
                  str("'", input.port.name, "' is ", tensor_type(tensor), ", ",
                      file_, " takes ", wanted(input), ", and ", dims[i],
                      " is ", same->size, " in '", same->input, "'"));
    }
  }
  if (fits) return;
  throw Error(Code::kData,
              str("'", input.port.name, "' is ", tensor_type(tensor), ", ",
                  file_, " takes ", wanted(input),
                  "; let preprocess give that, or make the model anew with "
                  "dims that are dynamic"));
}

void Binder::check_range(const ModelInput& input, const at::Tensor& tensor,
                         std::size_t dim) const {
  const auto range = ranges_.find(input.file.dims[dim]);
  if (range == ranges_.end()) return;
  const std::int64_t size = tensor.size(static_cast<std::int64_t>(dim));
  // A least of 2 only says that the export saw more than one.
  const std::int64_t least = range->second.least > 2 ? range->second.least : 0;
  const std::int64_t most = range->second.most.value_or(size);
  if (size >= least && size <= most) return;
  throw Error(Code::kData,
              str("'", input.port.name, "' is ", tensor_type(tensor), ", and ",
                  file_, " was exported for ", input.dims[dim], " from ", least,
                  range->second.most ? str(" to ", most) : std::string(" on"),
                  "; let preprocess give that, or export it for more"));
}

std::vector<std::int64_t> Binder::shape_of(
    const ModelInput& input, const std::vector<Known>& known) const {
  std::vector<std::int64_t> shape;
  const auto dynamic =
      std::count_if(input.dims.begin(), input.dims.end(),
                    [](const std::string& dim) { return !fixed_dim(dim); });
  for (const std::string& dim : input.dims) {
    if (const auto fixed = fixed_dim(dim)) {
      shape.push_back(*fixed);
      continue;
    }
    const auto same =
        std::find_if(known.begin(), known.end(),
                     [&](const Known& each) { return each.dim == dim; });
    if (same != known.end()) {
      shape.push_back(same->size);
    } else if (input.constant.size() > 1 && dynamic == 1) {
      shape.push_back(static_cast<std::int64_t>(input.constant.size()));
    } else if (input.from == From::kState) {
      shape.push_back(1);
    } else {
      throw Error(Code::kData,
                  str("set: ", file_, " takes '", input.port.name, "' as ",
                      wanted(input), ", and no input that is given has a dim ",
                      dim, "; give it in preprocess"));
    }
  }
  return shape;
}

std::vector<at::Tensor> Binder::bind(const Give& item,
                                     const Give& state) const {
  std::vector<at::Tensor> out(ports_.inputs.size());
  std::vector<Known> known;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const ModelInput& input = ports_.inputs[i];
    if (input.from == From::kConstant) continue;
    out[i] = input.from == From::kItem
                 ? in_file_order(input, item(input), turned_)
                 : state(input);
    if (!out[i].defined()) continue;
    check(input, out[i], known);
    out[i] = out[i].contiguous();
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].defined()) continue;
    const ModelInput& input = ports_.inputs[i];
    const auto shape = shape_of(input, known);
    out[i] = input.from == From::kConstant ? constant(input, shape)
                                           : at::zeros(shape, dtype_of(input));
  }
  return out;
}

}  // namespace penstock::exported

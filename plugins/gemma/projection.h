// x times a weight's transpose: the one matrix product of the model.
#pragma once

#include <ATen/core/Tensor.h>

namespace penstock::gemma {

/// x [n, in], weight [out, in]; gives [n, out], contiguous.
[[nodiscard]] at::Tensor project(const at::Tensor& x, const at::Tensor& weight);

}  // namespace penstock::gemma

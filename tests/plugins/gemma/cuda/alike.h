// Scores of the CUDA engine beside those of the reference.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "penstock/forward.h"

namespace penstock::gemma::cuda {

/// f32 against f32: sums in another order.
inline constexpr double kTolerance = 1e-4;

/// The largest difference.
[[nodiscard]] double worst(const at::Tensor& a, const at::Tensor& b);

void expect_alike(const at::Tensor& got, const at::Tensor& wanted,
                  const std::string& what);
/// The same ids; all else within kTolerance.
void expect_alike(const Scores& got, const Scores& wanted);

}  // namespace penstock::gemma::cuda

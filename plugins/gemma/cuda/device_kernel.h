// What the sources of kernels for GPUs share.
#pragma once

#include "gemma/cuda/kernels.h"

static_assert(__cplusplus >= 202002L, "nvcc was not told -std=c++20");

namespace penstock::gemma::cuda {

/// A __global__ function as the host launches it.
template <class Params>
KernelOf<Params> device_kernel(const char* name, void (*function)(Params)) {
  KernelOf<Params> out;
  out.name = name;
  out.device = reinterpret_cast<const void*>(function);
  out.params_bytes = sizeof(Params);
  return out;
}

}  // namespace penstock::gemma::cuda

// The one function of libpenstock_gemma_cuda.so.
#include <cuda_runtime_api.h>

#include <vector>

#include "gemma/cuda/library.h"
#include "lib/gpu/cudart_api.h"
#include "penstock/abi.h"

namespace penstock::gemma::cuda {
namespace {

/// As gpu::has_groups(); of a card that is not there open_cudart() tells.
bool has_groups_at(int index) {
  int major = 0;
  int minor = 0;
  const auto ask = [index](int& to, cudaDeviceAttr what) {
    return cudaDeviceGetAttribute(&to, what, index) == cudaSuccess;
  };
  const bool is_known = ask(major, cudaDevAttrComputeCapabilityMajor) &&
                        ask(minor, cudaDevAttrComputeCapabilityMinor);
  if (!is_known) (void)cudaGetLastError();
  return is_known && gpu::has_groups(major, minor);
}

std::unique_ptr<gpu::DeviceApi> open_card(int index) {
  std::vector<const Kernel*> all;
  const bool with_groups = has_groups_at(index);
  for (const NumberType type : {NumberType::kF32, NumberType::kBf16}) {
    const Kernels& k = device_kernels(type, with_groups);
    for (const WeightKernels* w :
         std::initializer_list<const WeightKernels*>{&k, &k.int8, &k.int4}) {
      all.insert(all.end(), {&w->embed, &w->qkv, &w->product_rows, &w->gate_up,
                             &w->head, &w->product, &w->gated_product});
    }
    all.insert(all.end(), {&k.attention, &k.select, &k.draw, &k.norm, &k.place,
                           &k.attention_tile, &k.scan, &k.screen, &k.refine,
                           &k.step, &k.groups.product, &k.groups.gated_product,
                           &k.groups.attention_tile});
  }
  std::erase_if(all, [](const Kernel* each) { return !each->exists(); });
  return gpu::open_cudart(index, all);
}

constexpr CudaLibrary kLibrary{.abi = kAbiText,
                               .architectures = PENSTOCK_CUDA_ARCHITECTURES,
                               .runtime = CUDART_VERSION,
                               .open = open_card,
                               .kernels = device_kernels};

}  // namespace
}  // namespace penstock::gemma::cuda

extern "C" __attribute__((visibility("default")))
const penstock::gemma::cuda::CudaLibrary*
penstock_gemma_cuda() {
  return &penstock::gemma::cuda::kLibrary;
}

// The kernels by products of warpgroups, compiled for compute capability 9.0
// and no other (sm_90a).
#include "gemma/cuda/bodies/group_attention.h"
#include "gemma/cuda/bodies/group_product.h"
#include "gemma/cuda/device_kernel.h"
#include "gemma/cuda/kernels.h"
#include "lib/gpu/device_group_block.h"

namespace penstock::gemma::cuda {
namespace {

static_assert(gpu::BlockOfGroups<gpu::DeviceGroupBlock>);

#define PENSTOCK_GROUP_KERNEL(name, Params, threads)    \
  __global__ void __launch_bounds__(threads)            \
      name##_kernel(const __grid_constant__ Params p) { \
    gpu::DeviceGroupBlock block;                        \
    name(block, p);                                     \
  }

PENSTOCK_GROUP_KERNEL(group_product, ProductParams, kGroupThreads)
PENSTOCK_GROUP_KERNEL(group_gated, GatedProductParams, kGroupThreads)
PENSTOCK_GROUP_KERNEL(group_attention, AttentionTileParams, kGroupThreads)

}  // namespace

const GroupKernels& device_group_kernels() {
  static const GroupKernels all{
      .product = device_kernel("group_product", &group_product_kernel),
      .gated_product =
          device_kernel("group_gated", &group_gated_kernel),
      .attention_tile =
          device_kernel("group_attention", &group_attention_kernel)};
  return all;
}

}  // namespace penstock::gemma::cuda

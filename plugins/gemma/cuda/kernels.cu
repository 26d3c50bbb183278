// The kernels, compiled for GPUs.
#include "gemma/cuda/kernels.h"

#include <type_traits>

#include "gemma/cuda/bodies/attention.h"
#include "gemma/cuda/bodies/attention_tile.h"
#include "gemma/cuda/bodies/choose.h"
#include "gemma/cuda/bodies/draw.h"
#include "gemma/cuda/bodies/embed.h"
#include "gemma/cuda/bodies/head.h"
#include "gemma/cuda/bodies/norm.h"
#include "gemma/cuda/bodies/place.h"
#include "gemma/cuda/bodies/product.h"
#include "gemma/cuda/bodies/refine.h"
#include "gemma/cuda/bodies/rows.h"
#include "gemma/cuda/bodies/screen.h"
#include "gemma/cuda/bodies/step.h"
#include "gemma/cuda/bodies/weights.h"
#include "gemma/cuda/device_kernel.h"
#include "lib/gpu/device_block.h"

namespace penstock::gemma::cuda {
namespace {

static_assert(gpu::BlockOfThreads<gpu::DeviceBlock>);

using gpu::Bf16;
using gpu::DeviceBlock;

// A __global__ function of a body, whose name is the body's. After the params:
// its threads and, where ptxas would rather spill, least blocks a processor.
#define PENSTOCK_KERNEL(name, Params, ...)              \
  template <class T>                                    \
  __global__ void __launch_bounds__(__VA_ARGS__)        \
      name##_kernel(const __grid_constant__ Params p) { \
    DeviceBlock block;                                  \
    name<T>(block, p);                                  \
  }
// The same of one that has no weights and no type.
#define PENSTOCK_PLAIN_KERNEL(name, Params, ...)        \
  __global__ void __launch_bounds__(__VA_ARGS__)        \
      name##_kernel(const __grid_constant__ Params p) { \
    DeviceBlock block;                                  \
    name(block, p);                                     \
  }

PENSTOCK_KERNEL(embed, EmbedParams, kEmbedThreads)
PENSTOCK_KERNEL(qkv, QkvParams, kQkvThreads, kQkvBlocks)
PENSTOCK_KERNEL(attention, AttentionParams, kAttentionThreads)
PENSTOCK_KERNEL(product_rows, ProductParams, kRowsThreads)
PENSTOCK_KERNEL(gate_up, GateUpParams, kGateThreads)
PENSTOCK_KERNEL(head, HeadParams, kHeadThreads, kHeadBlocks)
PENSTOCK_KERNEL(norm, NormParams, kNormThreads)
PENSTOCK_KERNEL(place, PlaceParams, kPlaceThreads)
PENSTOCK_PLAIN_KERNEL(attention_tile, AttentionTileParams, kQueryThreads)
PENSTOCK_KERNEL(product, ProductParams, kMostTileThreads)
PENSTOCK_KERNEL(gated_product, GatedProductParams, kMostTileThreads)
PENSTOCK_PLAIN_KERNEL(scan, ScanParams, kScanThreads)
PENSTOCK_PLAIN_KERNEL(screen, ScreenedParams, kHeadThreads, 2)
PENSTOCK_KERNEL(refine, ScreenedParams, kHeadThreads, 2)
PENSTOCK_PLAIN_KERNEL(select, SelectParams, kSelectThreads)
PENSTOCK_PLAIN_KERNEL(draw, DrawParams, kDrawThreads)

template <class T>
__global__ void __launch_bounds__(kStepThreads, kStepBlocks)
    step_kernel(const __grid_constant__ StepParams p) {
  gpu::DeviceTaskBlock block;
  step<T>(block, p);
}

template <class W>
WeightKernels of_weights() {
  WeightKernels out;
  out.embed = device_kernel("embed", &embed_kernel<W>);
  out.qkv = device_kernel("qkv", &qkv_kernel<W>);
  out.product_rows = device_kernel("product_rows", &product_rows_kernel<W>);
  out.gate_up = device_kernel("gate_up", &gate_up_kernel<W>);
  out.head = device_kernel("head", &head_kernel<W>);
  if constexpr (!std::is_same_v<W, float>) {
    out.product = device_kernel("product", &product_kernel<W>);
    out.gated_product = device_kernel("gated_product", &gated_product_kernel<W>);
  }
  return out;
}

template <class T>
Kernels make(NumberType type) {
  Kernels out;
  static_cast<WeightKernels&>(out) = of_weights<T>();
  out.type = type;
  out.attention = device_kernel("attention", &attention_kernel<T>);
  out.select = device_kernel("select", &select_kernel);
  out.draw = device_kernel("draw", &draw_kernel);
  out.step = device_kernel("step", &step_kernel<T>);
  out.step.waits_for_blocks = true;
  return out;
}

}  // namespace

const Kernels& device_kernels(NumberType type, bool has_groups) {
  static const Kernels f32 = make<float>(NumberType::kF32);
  static const Kernels bf16 = [] {
    Kernels out = make<Bf16>(NumberType::kBf16);
    out.norm = device_kernel("norm", &norm_kernel<Bf16>);
    out.int8 = of_weights<Int8>();
    out.int4 = of_weights<Int4>();
    out.place = device_kernel("place", &place_kernel<Bf16>);
    out.attention_tile = device_kernel("attention_tile", &attention_tile_kernel);
    out.scan = device_kernel("scan", &scan_kernel);
    out.screen = device_kernel("screen", &screen_kernel);
    out.refine = device_kernel("refine", &refine_kernel<Bf16>);
    return out;
  }();
  static const Kernels with_groups = [] {
    Kernels out = bf16;
    out.groups = device_group_kernels();
    return out;
  }();
  if (type == NumberType::kF32) return f32;
  return has_groups ? with_groups : bf16;
}

}  // namespace penstock::gemma::cuda

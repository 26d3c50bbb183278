// The kernels, compiled for the block simulator.
#include <type_traits>

#include "gemma/cuda/bodies/attention.h"
#include "gemma/cuda/bodies/attention_tile.h"
#include "gemma/cuda/bodies/choose.h"
#include "gemma/cuda/bodies/draw.h"
#include "gemma/cuda/bodies/embed.h"
#include "gemma/cuda/bodies/group_attention.h"
#include "gemma/cuda/bodies/group_product.h"
#include "gemma/cuda/bodies/head.h"
#include "gemma/cuda/bodies/norm.h"
#include "gemma/cuda/bodies/place.h"
#include "gemma/cuda/bodies/product.h"
#include "gemma/cuda/bodies/refine.h"
#include "gemma/cuda/bodies/rows.h"
#include "gemma/cuda/bodies/screen.h"
#include "gemma/cuda/bodies/step.h"
#include "gemma/cuda/bodies/weights.h"
#include "gemma/cuda/kernels.h"
#include "lib/gpu/sim/sim_block.h"

namespace penstock::gemma::cuda {
namespace {

using gpu::Bf16;
using gpu::SimBlock;

template <class Params, void (*kBody)(SimBlock&, const Params&)>
KernelOf<Params> of(const char* name) {
  KernelOf<Params> out;
  out.name = name;
  out.simulate = [](SimBlock& block, const void* params) {
    kBody(block, *static_cast<const Params*>(params));
  };
  out.params_bytes = sizeof(Params);
  return out;
}

template <class W>
WeightKernels of_weights() {
  WeightKernels out;
  out.embed = of<EmbedParams, embed<W, SimBlock>>("embed");
  out.qkv = of<QkvParams, qkv<W, SimBlock>>("qkv");
  out.product_rows =
      of<ProductParams, product_rows<W, SimBlock>>("product_rows");
  out.gate_up = of<GateUpParams, gate_up<W, SimBlock>>("gate_up");
  out.head = of<HeadParams, head<W, SimBlock>>("head");
  if constexpr (!std::is_same_v<W, float>) {
    out.product = of<ProductParams, product<W, SimBlock>>("product");
    out.gated_product =
        of<GatedProductParams, gated_product<W, SimBlock>>("gated_product");
  }
  return out;
}

template <class T>
Kernels make(NumberType type) {
  Kernels out;
  static_cast<WeightKernels&>(out) = of_weights<T>();
  out.type = type;
  out.attention = of<AttentionParams, attention<T, SimBlock>>("attention");
  out.select = of<SelectParams, select<SimBlock>>("select");
  out.draw = of<DrawParams, draw<SimBlock>>("draw");
  out.step = of<StepParams, step<T, SimBlock>>("step");
  out.step.waits_for_blocks = true;
  return out;
}

}  // namespace

const Kernels& simulated_kernels(NumberType type, bool has_groups) {
  static const Kernels f32 = make<float>(NumberType::kF32);
  static const Kernels bf16 = [] {
    Kernels out = make<Bf16>(NumberType::kBf16);
    out.norm = of<NormParams, norm<Bf16, SimBlock>>("norm");
    out.int8 = of_weights<Int8>();
    out.int4 = of_weights<Int4>();
    out.place = of<PlaceParams, place<Bf16, SimBlock>>("place");
    out.attention_tile =
        of<AttentionTileParams, attention_tile<SimBlock>>("attention_tile");
    out.scan = of<ScanParams, scan<SimBlock>>("scan");
    out.screen = of<ScreenedParams, screen<SimBlock>>("screen");
    out.refine = of<ScreenedParams, refine<Bf16, SimBlock>>("refine");
    return out;
  }();
  static const Kernels with_groups = [] {
    Kernels out = bf16;
    out.groups = {
        .product = of<ProductParams, group_product<SimBlock>>("group_product"),
        .gated_product =
            of<GatedProductParams, group_gated<SimBlock>>("group_gated"),
        .attention_tile = of<AttentionTileParams, group_attention<SimBlock>>(
            "group_attention")};
    return out;
  }();
  if (type == NumberType::kF32) return f32;
  return has_groups ? with_groups : bf16;
}

}  // namespace penstock::gemma::cuda

// The kernel `step`: a whole step of few rows. Its blocks are all there at once
// and do the tasks of one part after another (the blocks that a launch of the
// part would have), dealt in turns: who has none of a part asks for the weights
// of its next task meanwhile. A part waits for those before it by counters.
#pragma once

#include <type_traits>

#include "gemma/cuda/bodies/attention.h"
#include "gemma/cuda/bodies/choose.h"
#include "gemma/cuda/bodies/embed.h"
#include "gemma/cuda/bodies/head.h"
#include "gemma/cuda/bodies/rows.h"
#include "gemma/cuda/bodies/step_tasks.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

/// Of attention: beside what the parts have in common, more would spill.
using StepAtOnce = AtOnce<kStepAttentionHeads, 2, 2>;

/// The one of the bodies that read weights whose params these are.
template <class W, class Block, class Params>
PENSTOCK_GPU void run_body(Block& block, const Params& p) {
  if constexpr (std::is_same_v<Params, EmbedParams>) {
    embed<W>(block, p);
  } else if constexpr (std::is_same_v<Params, QkvParams>) {
    qkv<W>(block, p);
  } else if constexpr (std::is_same_v<Params, ProductParams>) {
    product_rows<W>(block, p);
  } else if constexpr (std::is_same_v<Params, GateUpParams>) {
    gate_up<W>(block, p);
  } else {
    head<W>(block, p);
  }
}

// Each part, and what stands around it, is a function apart: in one, ptxas
// mixes the registers of all.
template <class W, class Block, class Params>
PENSTOCK_GPU_APART void weights_part(typename Block::Handle handle,
                                     const Params& p) {
  auto&& block = Block::of(handle);
  run_body<W>(block, p);
}
template <class T, class Block>
PENSTOCK_GPU_APART void attention_part(typename Block::Handle handle,
                                       const AttentionParams& p) {
  auto&& block = Block::of(handle);
  attention<T, Block, StepAtOnce>(block, p);
}
template <class Block>
PENSTOCK_GPU_APART void select_part(typename Block::Handle handle,
                                    const SelectParams& p) {
  auto&& block = Block::of(handle);
  select<Block, kStepThreads>(block, p);
}

/// A part that reads weights of a format, where T is what they multiply.
template <class T, class Block, class Params>
PENSTOCK_GPU void run_weights(typename Block::Handle handle, const Params& p,
                              WeightFormat format) {
  if constexpr (std::is_same_v<T, float>) {
    weights_part<float, Block>(handle, p);
  } else if (format == WeightFormat::kInt8) {
    weights_part<Int8, Block>(handle, p);
  } else if (format == WeightFormat::kInt4) {
    weights_part<Int4, Block>(handle, p);
  } else {
    weights_part<T, Block>(handle, p);
  }
}

/// The place of the task, or of the next one that there is; -1: none.
template <class Block>
PENSTOCK_GPU_APART int find_task(const StepParams& p, int packed) {
  StepPlace at(packed);
  return at.find(p) ? at.packed() : -1;
}
template <class Block>
PENSTOCK_GPU_APART typename Block::Handle begin_part(
    typename Block::Handle handle, const StepParams& p, int packed) {
  auto&& block = Block::of(handle);
  const StepPlace at(packed);
  begin_step_task(block, p, at.part, at.layer, at.task);
  return block.handle();
}
template <class Block>
PENSTOCK_GPU_APART void end_part(typename Block::Handle handle,
                                 const StepParams& p, int packed) {
  auto&& block = Block::of(handle);
  const StepPlace at(packed);
  end_step_task(block, p, at.part, at.layer, at.task);
}

template <class T, class Block>
PENSTOCK_GPU_APART void run_part(typename Block::Handle handle,
                                 const StepParams& p, int packed) {
  const StepPlace at(packed);
  const StepEnds& ends = p.ends;
  const StepLayer& its = p.layer[at.layer];
  const auto weights = [&](const auto& params, const Matrix& matrix) {
    run_weights<T, Block>(handle, params, matrix.format);
  };
  switch (at.part) {
    case kStepEmbed:
      return weights(ends.embed, ends.embed.embedding);
    case kStepQkv:
      return weights(its.qkv, its.qkv.weight);
    case kStepAttention:
      return attention_part<T, Block>(handle, its.attention);
    case kStepOut:
      return weights(its.product[0], its.product[0].weight);
    case kStepGateUp:
      return weights(its.gate_up, its.gate_up.weight);
    case kStepDown:
      return weights(its.product[1], its.product[1].weight);
    case kStepHead:
      return weights(ends.head, ends.head.weight);
    default:
      return select_part<Block>(handle, ends.select);
  }
}

template <class T, class Block>
PENSTOCK_GPU void step(Block& block, const StepParams& p) {
  StepPlace first;
  first.task = block.own();
  int at = find_task<Block>(p, first.packed());
  PENSTOCK_ROLLED
  while (at >= 0) {
    const auto task = begin_part<Block>(block.handle(), p, at);
    run_part<T, Block>(task, p, at);
    end_part<Block>(block.handle(), p, at);
    at = find_task<Block>(p, at + StepPlace::kTask * block.all());
  }
}

}  // namespace penstock::gemma::cuda

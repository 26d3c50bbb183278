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
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

/// Of attention: beside what the parts have in common, more would spill.
using StepAtOnce = AtOnce<kStepAttentionHeads, 2, 2>;

/// Where a block is in its step. Its tasks are dealt as if all parts were one
/// row of tasks.
struct StepPlace {
  int part = kStepEmbed, layer = 0;
  int task = 0;

  static constexpr int kTask = 1 << 9;  ///< one task, packed

  StepPlace() = default;
  PENSTOCK_GPU explicit StepPlace(int packed)
      : part(packed & 7), layer(packed >> 3 & 63), task(packed / kTask) {}
  /// All of it in one register, which is all that step() keeps.
  [[nodiscard]] PENSTOCK_GPU int packed() const {
    static_assert(kStepParts <= 8 && kMostStepLayers <= 64);
    return part | layer << 3 | task * kTask;
  }
  /// Goes to the part that has the task; whether there is one.
  PENSTOCK_GPU bool find(const StepParams& p) {
    for (; part < kStepParts; pass(p)) {
      const int count = tasks(p);
      if (task < count) return true;
      task -= count;
    }
    return false;
  }

 private:
  [[nodiscard]] PENSTOCK_GPU int tasks(const StepParams& p) const {
    const int each = p.plan.tasks[part];
    return part == kStepAttention ? each * p.layer[layer].attention.splits
                                  : each;
  }
  PENSTOCK_GPU void pass(const StepParams& p) {
    const bool is_again = part == kStepDown && layer + 1 < p.plan.layers;
    layer += is_again ? 1 : 0;
    part = is_again ? static_cast<int>(kStepQkv) : part + 1;
  }
};

template <class Block>
PENSTOCK_GPU auto step_counter(Block& block, const StepParams& p, int part,
                               int layer, int kv_head = 0) {
  const int at = p.plan.counter[part] + layer * p.plan.layer_counters + kv_head;
  return block.global(p.counters, "counters") + at * kCounterWords;
}

/// The task, and what it waits for.
template <class Block>
PENSTOCK_GPU void begin_step_task(Block& block, const StepParams& p, int part,
                                  int layer, int task) {
  const StepPlan& plan = p.plan;
  if (part == kStepEmbed) {
    block.begin_task(task, 0, 0);
  } else if (part == kStepAttention) {
    const int share = task / plan.rows % plan.shares;
    block.begin_task(
        task % plan.rows, share, task / plan.rows / plan.shares,
        step_counter(block, p, kStepQkv, layer, share / plan.kv_head_shares),
        static_cast<std::uint32_t>(plan.kv_head_tasks));
  } else if (part == kStepQkv && layer == 0) {
    block.begin_task(task, 0, 0, step_counter(block, p, kStepEmbed, 0),
                     static_cast<std::uint32_t>(plan.rows));
  } else {
    const int before =
        part == kStepQkv ? static_cast<int>(kStepDown) : part - 1;
    int count = plan.tasks[before];
    if (part == kStepOut) count *= p.layer[layer].attention.splits;
    const int its = part == kStepSelect ? 0
                    : part == kStepQkv  ? layer - 1
                                        : layer;
    block.begin_task(task, 0, 0, step_counter(block, p, before, its),
                     static_cast<std::uint32_t>(count));
  }
}

template <class Block>
PENSTOCK_GPU void end_step_task(Block& block, const StepParams& p, int part,
                                int layer, int task) {
  if (part == kStepSelect) return clear_step_counters(block, p, task);
  int kv_head = 0;
  if (part == kStepQkv) {
    const int head = task / p.plan.head_tasks;
    kv_head = head < p.plan.heads ? head / p.plan.group
                                  : (head - p.plan.heads) % p.plan.kv_heads;
  }
  // The ends have no layers.
  const bool has_layer = part != kStepEmbed && part != kStepHead;
  block.end_task(step_counter(block, p, part, has_layer ? layer : 0, kv_head));
}

/// When select has begun nobody awaits the counters before it, and when all of
/// it is done nobody awaits head's: they are zero for the next step.
template <class Block>
PENSTOCK_GPU void clear_step_counters(Block& block, const StepParams& p,
                                      int task) {
  const int head = p.plan.counter[kStepHead];
  const auto all = block.global(p.counters, "counters");
  for (int i = block.thread(); task == 0 && i < head; i += block.threads()) {
    block.clear(all + i * kCounterWords);
  }
  block.end_task();
  if (block.thread() > 0) return;
  if (p.plan.rows > 1) {
    const auto last = static_cast<std::uint32_t>(p.plan.rows - 1);
    block.fence();
    const auto ticket = all + (head + 1) * kCounterWords;
    if (block.atomic_wrap(ticket, last) != last) return;
    block.fence();
  }
  block.clear(all + head * kCounterWords);
}

template <class W, class Block>
PENSTOCK_GPU void run_body(Block& block, const EmbedParams& p) {
  embed<W>(block, p);
}
template <class W, class Block>
PENSTOCK_GPU void run_body(Block& block, const QkvParams& p) {
  qkv<W>(block, p);
}
template <class W, class Block>
PENSTOCK_GPU void run_body(Block& block, const ProductParams& p) {
  product_rows<W>(block, p);
}
template <class W, class Block>
PENSTOCK_GPU void run_body(Block& block, const GateUpParams& p) {
  gate_up<W>(block, p);
}
template <class W, class Block>
PENSTOCK_GPU void run_body(Block& block, const HeadParams& p) {
  head<W>(block, p);
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

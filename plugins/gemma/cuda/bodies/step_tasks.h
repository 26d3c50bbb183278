// The tasks of the kernel `step`: which a block has, what each waits for and
// what it counts when it is done.
#pragma once

#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"
#include "lib/gpu/block.h"

namespace penstock::gemma::cuda {

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

}  // namespace penstock::gemma::cuda

#include "src/my_batch.h"

#include <ATen/ops/tensor.h>

namespace my_plugin {

using penstock::Closed;
using penstock::Sequence;
using penstock::Slice;

void MyBatchStage::declare(penstock::Declaration<MyBatchStage>& d) {
  d.doc("Whole prompts, first come, first served")
      .layouts({penstock::Layout::kPacked})
      .light();
  d.param("max_sequences", &Params::max_sequences, "most that run at once")
      .range(1, 1024);
}

int MyBatchStage::max_sequences() const {
  return static_cast<int>(params_.max_sequences);
}

penstock::Plan MyBatchStage::plan(const penstock::Offer& offer) {
  penstock::Plan plan;
  const auto add = [&plan](Sequence* sequence) {
    const std::int64_t left = sequence->length() - sequence->cached;
    plan.slices.push_back({.sequence = sequence, .count = left});
  };
  for (Sequence* sequence : offer.running) add(sequence);
  int free = offer.free_slots;
  for (Sequence* sequence : offer.waiting) {
    if (sequence->item->width > free) break;
    free -= sequence->item->width;
    add(sequence);
  }
  if (!plan.slices.empty()) plan.why = Closed::kRunning;
  return plan;
}

penstock::Tensors MyBatchStage::collate(std::span<const Slice> slices) {
  penstock::Tokens tokens;
  for (const Slice& slice : slices) {
    for (std::int64_t i = 0; i < slice.count; ++i) {
      tokens.push_back(slice.sequence->token(slice.begin + i));
    }
  }
  return {{"tokens", at::tensor(tokens)}};
}

}  // namespace my_plugin

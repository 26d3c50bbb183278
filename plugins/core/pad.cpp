#include "pad.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "wait.h"

namespace penstock::core {

void Pad::declare(Declaration<Pad>& d) {
  d.doc("Static batches: rows start and end together, padded to one length")
      .layouts({Layout::kPadded});
  d.param("max_rows", &Params::max_rows, "rows of one batch").range(1, 4096);
  d.param("max_wait_ms", &Params::max_wait_ms,
          "how long the first row waits for others, in milliseconds")
      .range(0, 60000);
  d.param("side", &Params::side, "where the padding stands")
      .choices({"left", "right"});
  d.param("pad_id", &Params::pad_id, "token id written into the padding")
      .range(0, 1e9);
  d.param("max_length", &Params::max_length,
          "longest prompt in tokens, the rest is cut; 0: no limit")
      .range(0, 1e9);
  d.param("truncate", &Params::truncate, "which end of a long prompt is cut")
      .choices({"left", "right"});
}

void Pad::admit(Sample& sample) {
  const auto length = static_cast<std::int64_t>(sample.tokens.size());
  const std::int64_t cut = length - params_.max_length;
  if (params_.max_length == 0 || cut <= 0) return;
  const auto begin = sample.tokens.begin();
  if (params_.truncate == "left") {
    sample.tokens.erase(begin, begin + cut);
  } else {
    sample.tokens.erase(begin + params_.max_length, sample.tokens.end());
  }
  sample.notes["truncated"] = cut;
}

Plan Pad::plan(const Candidates& candidates) {
  Plan plan;
  if (!candidates.running.empty()) {
    plan.why = Closed::kRunning;
    for (Row* row : candidates.running) {
      plan.slices.push_back({.row = row, .count = kAll});
    }
    return plan;
  }
  const Closing closing =
      close_batch(candidates, max_rows(), params_.max_wait_ms);
  plan.why = closing.why;
  plan.look_again = closing.look_again;
  if (closing.why == Closed::kNothing) return plan;
  int free = candidates.free_slots;
  for (Row* row : candidates.waiting) {
    if (row->sample->width > free) break;
    free -= row->sample->width;
    plan.slices.push_back({.row = row, .count = kAll});
  }
  return plan;
}

Tensors Pad::collate(std::span<const Slice> slices) {
  std::int64_t longest = 0;
  for (const Slice& slice : slices) longest = std::max(longest, slice.count);
  const auto rows = static_cast<std::int64_t>(slices.size());
  auto ids = at::full({rows, longest}, params_.pad_id, at::kLong);
  auto mask = at::zeros({rows, longest}, at::kLong);
  auto* id = ids.mutable_data_ptr<std::int64_t>();
  auto* is_token = mask.mutable_data_ptr<std::int64_t>();
  for (const Slice& slice : slices) {
    const std::int64_t offset =
        params_.side == "left" ? longest - slice.count : 0;
    for (std::int64_t i = 0; i < slice.count; ++i) {
      id[offset + i] = slice.row->token(slice.begin + i);
      is_token[offset + i] = 1;
    }
    id += longest;
    is_token += longest;
  }
  return {{"input_ids", ids}, {"attention_mask", mask}};
}

}  // namespace penstock::core

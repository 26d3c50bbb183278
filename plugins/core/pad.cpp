#include "core/pad.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/plan_sequences.h"
#include "penstock/keys.h"
#include "penstock/tensor_names.h"

namespace penstock::core {

void Pad::declare(Declaration<Pad>& d) {
  d.doc(
       "Static batches: sequences start and end together, padded to one length")
      .layouts({Layout::kPadded})
      .makes(kTruncated)
      .uses(kTruncated)
      .light();
  declare_room(d, "most sequences in one batch",
               "milliseconds that the first sequence waits for others");
  d.param("side", &Params::side, "side of each prompt that is padded")
      .choices({"left", "right"});
  d.param("pad_id", &Params::pad_id, "token id of the padding").range(0, 1e9);
  d.param("max_length", &Params::max_length,
          "longest prompt in tokens, the rest is cut off; 0: no limit")
      .range(0, 1e9);
  d.param("truncate", &Params::truncate, "end of a long prompt that is cut off")
      .choices({"left", "right"});
}

void Pad::admit(Item& item) {
  const auto length = static_cast<std::int64_t>(item.tokens.size());
  const std::int64_t cut = length - params_.max_length;
  if (params_.max_length == 0 || cut <= 0) return;
  const auto begin = item.tokens.begin();
  if (params_.truncate == "left") {
    item.tokens.erase(begin, begin + cut);
  } else {
    item.tokens.erase(begin + params_.max_length, item.tokens.end());
  }
  // What the stages before this one cut counts too.
  set(item.notes, kTruncated, cut + get_or(item.notes, kTruncated, 0));
}

Plan Pad::plan(const Offer& offer) {
  return plan_sequences(offer, {.max_sequences = max_sequences(),
                                .max_wait_ms = params_.max_wait_ms,
                                .joins = false});
}

Tensors Pad::collate(std::span<const Slice> slices) {
  std::int64_t longest = 0;
  for (const Slice& slice : slices) longest = std::max(longest, slice.count);
  const auto sequences = static_cast<std::int64_t>(slices.size());
  auto ids = at::full({sequences, longest}, params_.pad_id, at::kLong);
  auto mask = at::zeros({sequences, longest}, at::kLong);
  auto* id = ids.mutable_data_ptr<std::int64_t>();
  auto* is_token = mask.mutable_data_ptr<std::int64_t>();
  for (const Slice& slice : slices) {
    const std::int64_t offset =
        params_.side == "left" ? longest - slice.count : 0;
    for (std::int64_t i = 0; i < slice.count; ++i) {
      id[offset + i] = slice.sequence->token(slice.begin + i);
      is_token[offset + i] = 1;
    }
    id += longest;
    is_token += longest;
  }
  return {{tensors::kInputIds, ids}, {tensors::kAttentionMask, mask}};
}

}  // namespace penstock::core

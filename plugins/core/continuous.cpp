#include "core/continuous.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "core/plan_sequences.h"

namespace penstock::core {

void Continuous::declare(Declaration<Continuous>& d) {
  d.doc("Continuous batching: sequences join and leave between steps, unpadded")
      .layouts({Layout::kPacked});
  declare_room(
      d, "most sequences that run at once",
      "milliseconds that the first sequence waits for others while nothing "
      "runs");
  d.param("chunk", &Params::chunk, "most tokens of one prompt in one step")
      .range(1, 1 << 20);
  d.param("max_step_tokens", &Params::max_step_tokens,
          "most tokens of all sequences together in one step")
      .range(1, 1 << 20);
  d.param("prefix_cache", &Params::prefix_cache,
          "let a prompt that begins like another one, running or ended, reuse "
          "its keys and values");
}

Plan Continuous::plan(const Offer& offer) {
  // Sequences that decode need one token each, and their guesses: they go
  // first, so that a long prompt takes what is left of the budget and not their
  // turn.
  std::vector<Sequence*> running(offer.running.begin(), offer.running.end());
  std::stable_partition(
      running.begin(), running.end(), [](const Sequence* sequence) {
        return static_cast<std::int64_t>(sequence->tokens.size()) -
                   sequence->cached ==
               1;
      });
  Offer ordered = offer;
  ordered.running = running;
  std::int64_t budget = params_.max_step_tokens;
  const auto share = [&](const Sequence& sequence) {
    const std::int64_t left = sequence.length() - sequence.cached;
    const std::int64_t count = std::min({left, params_.chunk, budget});
    budget -= count;
    return count;
  };
  return plan_sequences(
      ordered,
      {.max_sequences = max_sequences(), .max_wait_ms = params_.max_wait_ms},
      share);
}

Tensors Continuous::collate(std::span<const Slice> slices) {
  std::int64_t total = 0;
  for (const Slice& slice : slices) total += slice.count;
  auto tokens = at::empty({total}, at::kLong);
  auto* to = tokens.mutable_data_ptr<std::int64_t>();
  for (const Slice& slice : slices) {
    for (std::int64_t i = 0; i < slice.count; ++i) {
      *to++ = slice.sequence->token(slice.begin + i);
    }
  }
  return {{"tokens", tokens}};
}

}  // namespace penstock::core

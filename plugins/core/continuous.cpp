#include "continuous.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "wait.h"

namespace penstock::core {

void Continuous::declare(Declaration<Continuous>& d) {
  d.doc("Continuous batching: rows join and leave between steps, unpadded")
      .layouts({Layout::kPacked});
  d.param("max_rows", &Params::max_rows, "rows that run at once")
      .range(1, 4096);
  d.param("max_wait_ms", &Params::max_wait_ms,
          "how long the first row waits for others when nothing runs, in "
          "milliseconds")
      .range(0, 60000);
  d.param("chunk", &Params::chunk, "tokens of one prompt in one step, at most")
      .range(1, 1 << 20);
  d.param("max_step_tokens", &Params::max_step_tokens,
          "tokens of all rows in one step, at most")
      .range(1, 1 << 20);
  d.param("prefix_cache", &Params::prefix_cache,
          "a prompt that begins like another, running or ended, goes on from "
          "its keys and values");
}

Plan Continuous::plan(const Candidates& candidates) {
  Plan plan;
  std::int64_t budget = params_.max_step_tokens;
  const auto add = [&](Row* row) {
    const std::int64_t left = row->length() - row->cached;
    const std::int64_t count = std::min({left, params_.chunk, budget});
    if (count <= 0) return false;
    budget -= count;
    plan.slices.push_back({.row = row, .count = count});
    return true;
  };
  // Rows that decode need one token each, and their guesses: they go first, so
  // that a long prompt takes what is left of the budget and not their turn.
  const auto decodes = [](const Row* row) {
    return static_cast<std::int64_t>(row->tokens.size()) - row->cached == 1;
  };
  for (Row* row : candidates.running) {
    if (decodes(row)) add(row);
  }
  for (Row* row : candidates.running) {
    if (!decodes(row)) add(row);
  }
  plan.why = candidates.running.empty() ? Closed::kNothing : Closed::kRunning;
  if (candidates.running.empty()) {
    const Closing closing =
        close_batch(candidates, max_rows(), params_.max_wait_ms);
    plan.why = closing.why;
    plan.look_again = closing.look_again;
    if (closing.why == Closed::kNothing) return plan;
  }
  int free = candidates.free_slots;
  for (Row* row : candidates.waiting) {
    if (row->sample->width > free || !add(row)) {
      plan.why = Closed::kFull;
      break;
    }
    free -= row->sample->width;
  }
  return plan;
}

Tensors Continuous::collate(std::span<const Slice> slices) {
  std::int64_t total = 0;
  for (const Slice& slice : slices) total += slice.count;
  auto tokens = at::empty({total}, at::kLong);
  auto* to = tokens.mutable_data_ptr<std::int64_t>();
  for (const Slice& slice : slices) {
    for (std::int64_t i = 0; i < slice.count; ++i) {
      *to++ = slice.row->token(slice.begin + i);
    }
  }
  return {{"tokens", tokens}};
}

}  // namespace penstock::core

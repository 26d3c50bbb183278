#include "rows.h"

#include "wait.h"

namespace penstock::core {

void Rows::declare(Declaration<Rows>& d) {
  d.doc("Rows without tokens: join and leave between steps, inputs as they are")
      .layouts({Layout::kStacked});
  d.param("max_rows", &Params::max_rows, "rows that run at once")
      .range(1, 4096);
  d.param("max_wait_ms", &Params::max_wait_ms,
          "how long the first row waits for others when nothing runs, in "
          "milliseconds")
      .range(0, 60000);
}

Plan Rows::plan(const penstock::Candidates& candidates) {
  Plan plan;
  for (Row* row : candidates.running) {
    plan.slices.push_back({.row = row, .count = kAll});
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
    if (row->sample->width > free) break;
    free -= row->sample->width;
    plan.slices.push_back({.row = row, .count = kAll});
  }
  return plan;
}

Tensors Rows::collate(std::span<const Slice> /*slices*/) { return {}; }

}  // namespace penstock::core

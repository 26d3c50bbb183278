#include "core/ragged.h"

#include "core/wait.h"

namespace penstock::core {

void Ragged::declare(Declaration<Ragged>& d) {
  d.doc(
       "Sequences without tokens: join and leave between steps, inputs as they "
       "are")
      .layouts({Layout::kStacked});
  d.param("max_sequences", &Params::max_sequences, "sequences that run at once")
      .formerly("max_rows")
      .range(1, 4096);
  d.param("max_wait_ms", &Params::max_wait_ms,
          "how long the first sequence waits for others when nothing runs, in "
          "milliseconds")
      .range(0, 60000);
}

Plan Ragged::plan(const Offer& offer) {
  Plan plan;
  for (Sequence* sequence : offer.running) {
    plan.slices.push_back({.sequence = sequence, .count = kAll});
  }
  plan.why = offer.running.empty() ? Closed::kNothing : Closed::kRunning;
  if (offer.running.empty()) {
    const Closing closing =
        close_batch(offer, max_sequences(), params_.max_wait_ms);
    plan.why = closing.why;
    plan.check_again_at = closing.check_again_at;
    if (closing.why == Closed::kNothing) return plan;
  }
  int free = offer.free_slots;
  for (Sequence* sequence : offer.waiting) {
    if (sequence->item->width > free) break;
    free -= sequence->item->width;
    plan.slices.push_back({.sequence = sequence, .count = kAll});
  }
  return plan;
}

Tensors Ragged::collate(std::span<const Slice> /*slices*/) { return {}; }

}  // namespace penstock::core

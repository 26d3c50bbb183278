#include "core/ragged.h"

#include "core/plan_sequences.h"

namespace penstock::core {

void Ragged::declare(Declaration<Ragged>& d) {
  d.doc(
       "Sequences without tokens: join and leave between steps, inputs as they "
       "are")
      .layouts({Layout::kStacked})
      .light();
  declare_room(
      d, "most sequences that run at once",
      "milliseconds that the first sequence waits for others while nothing "
      "runs");
}

Plan Ragged::plan(const Offer& offer) {
  return plan_sequences(offer, {.max_sequences = max_sequences(),
                                .max_wait_ms = params_.max_wait_ms,
                                .joins = true});
}

Tensors Ragged::collate(std::span<const Slice> /*slices*/) { return {}; }

}  // namespace penstock::core

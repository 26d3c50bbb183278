#include "core/ragged.h"

#include "core/plan_sequences.h"

namespace penstock::core {

void Ragged::declare(Declaration<Ragged>& d) {
  d.doc(
       "Sequences without tokens: join and leave between steps, inputs as they "
       "are")
      .layouts({Layout::kStacked});
  d.param("max_sequences", &Params::max_sequences,
          "most sequences that run at once")
      .formerly("max_rows")
      .range(1, 4096);
  d.param("max_wait_ms", &Params::max_wait_ms,
          "milliseconds that the first sequence waits for others while nothing "
          "runs")
      .range(0, 60000);
}

Plan Ragged::plan(const Offer& offer) {
  return plan_sequences(offer, {.max_sequences = max_sequences(),
                                .max_wait_ms = params_.max_wait_ms,
                                .joins = true});
}

Tensors Ragged::collate(std::span<const Slice> /*slices*/) { return {}; }

}  // namespace penstock::core

// When does a batch stop waiting for more sequences?
#pragma once

#include "penstock/batch.h"

namespace penstock::core {

/// The reason to start the waiting sequences now, or kNothing: wait until
/// `check_again_at`. Full: as many wait as fit. Drained: nobody else is coming.
/// Waited: the oldest has waited `max_wait_ms`.
struct Closing {
  Closed why = Closed::kNothing;
  Time check_again_at{};
};

[[nodiscard]] Closing close_batch(const Offer& offer, int max_sequences,
                                  double max_wait_ms);

}  // namespace penstock::core

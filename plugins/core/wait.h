// When does a batch stop waiting for more rows?
#pragma once

#include "penstock/batch.h"

namespace penstock::core {

/// The reason to start the waiting rows now, or kNothing: wait until
/// `look_again`. Full: as many wait as fit. Drained: nobody else is coming.
/// Waited: the oldest has waited `max_wait_ms`.
struct Closing {
  Closed why = Closed::kNothing;
  Time look_again{};
};

[[nodiscard]] Closing close_batch(const Candidates& candidates, int max_rows,
                                  double max_wait_ms);

}  // namespace penstock::core

#include "wait.h"

namespace penstock::core {

Closing close_batch(const Candidates& candidates, int max_rows,
                    double max_wait_ms) {
  if (candidates.waiting.empty()) return {};
  if (static_cast<int>(candidates.waiting.size()) >= max_rows) {
    return {.why = Closed::kFull, .look_again = {}};
  }
  if (!candidates.more_coming) {
    return {.why = Closed::kDrained, .look_again = {}};
  }
  const auto wait = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double, std::milli>(max_wait_ms));
  const Time until = candidates.waiting.front()->since + wait;
  if (candidates.now >= until) {
    return {.why = Closed::kWaited, .look_again = {}};
  }
  return {.why = Closed::kNothing, .look_again = until};
}

}  // namespace penstock::core

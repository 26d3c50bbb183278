#include "core/wait.h"

#include <algorithm>

namespace penstock::core {

Closing close_batch(const Offer& offer, int max_sequences, double max_wait_ms) {
  if (offer.waiting.empty()) return {};
  if (static_cast<int>(offer.waiting.size()) >= max_sequences) {
    return {.why = Closed::kFull, .check_again_at = {}};
  }
  if (!offer.more_coming) {
    return {.why = Closed::kDrained, .check_again_at = {}};
  }
  const auto wait = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double, std::milli>(max_wait_ms));
  const auto* const oldest = *std::min_element(
      offer.waiting.begin(), offer.waiting.end(),
      [](const Sequence* a, const Sequence* b) { return a->since < b->since; });
  const Time until = oldest->since + wait;
  if (offer.now >= until) {
    return {.why = Closed::kWaited, .check_again_at = {}};
  }
  return {.why = Closed::kNothing, .check_again_at = until};
}

}  // namespace penstock::core

#include "core/plan_sequences.h"

#include "core/wait.h"

namespace penstock::core {

Plan plan_sequences(const Offer& offer, const PlanRules& rules,
                    const Share& share) {
  Plan plan;
  const auto add = [&](Sequence* sequence) {
    const std::int64_t count = share(*sequence);
    if (count > 0)
      plan.slices.push_back({.sequence = sequence, .count = count});
    return count > 0 || count == kHeld;
  };
  if (!offer.running.empty()) {
    plan.why = Closed::kRunning;
    for (Sequence* sequence : offer.running) add(sequence);
    if (!rules.joins) return plan;
  } else {
    const Closing closing =
        close_batch(offer, rules.max_sequences, rules.max_wait_ms);
    plan.why = closing.why;
    plan.check_again_at = closing.check_again_at;
    if (closing.why == Closed::kNothing) return plan;
  }
  int free = offer.free_slots;
  for (Sequence* sequence : offer.waiting) {
    if (sequence->item->width > free || !add(sequence)) {
      plan.why = Closed::kFull;
      break;
    }
    free -= sequence->item->width;
  }
  return plan;
}

}  // namespace penstock::core

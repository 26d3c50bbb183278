#include "core/plan_sequences.h"

#include "core/wait.h"

namespace penstock::core {

std::vector<Turn> turns_of(const Offer& offer) {
  std::vector<Turn> out;
  for (Sequence* sequence : offer.running) {
    out.push_back({.sequence = sequence, .is_running = true});
  }
  for (Sequence* sequence : offer.waiting) {
    out.push_back({.sequence = sequence, .is_running = false});
  }
  return out;
}

Plan plan_turns(const Offer& offer, const PlanRules& rules,
                const std::vector<Turn>& turns, const Share& share) {
  Plan plan;
  const auto add = [&](Sequence* sequence) {
    const std::int64_t count = share(*sequence);
    if (count > 0)
      plan.slices.push_back({.sequence = sequence, .count = count});
    return count > 0 || count == kHeld;
  };
  bool may_join = true;
  if (!offer.running.empty()) {
    plan.why = Closed::kRunning;
    may_join = rules.joins;
  } else {
    const Closing closing =
        close_batch(offer, rules.max_sequences, rules.max_wait_ms);
    plan.why = closing.why;
    plan.check_again_at = closing.check_again_at;
    if (closing.why == Closed::kNothing) return plan;
  }
  int free = offer.free_slots;
  for (const auto& [sequence, is_running] : turns) {
    if (is_running) {
      add(sequence);
    } else if (may_join) {
      may_join = sequence->item->width <= free && add(sequence);
      if (!may_join) plan.why = Closed::kFull;
      free -= sequence->item->width;
    }
  }
  return plan;
}

Plan plan_sequences(const Offer& offer, const PlanRules& rules,
                    const Share& share) {
  return plan_turns(offer, rules, turns_of(offer), share);
}

}  // namespace penstock::core

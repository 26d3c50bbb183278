// The plan that every batch of this plugin makes: running sequences first,
// then, once the batch closes, waiting ones while they fit.
#pragma once

#include <functional>
#include <vector>

#include "penstock/batch.h"
#include "penstock/stage_spec.h"

namespace penstock::core {

struct PlanRules {
  int max_sequences = 1;
  double max_wait_ms = 0;  ///< see close_batch()
  /// Whether waiting sequences join running ones; false: they wait until all
  /// end.
  bool joins = true;
};

/// Declares the params that every batch of this plugin has; `most` and `wait`
/// are the docs of max_sequences and max_wait_ms.
template <class Stage>
void declare_room(Declaration<Stage>& d, const char* most, const char* wait) {
  using P = typename Stage::Params;
  d.param("max_sequences", &P::max_sequences, most)
      .formerly("max_rows")
      .range(1, 4096);
  d.param("max_wait_ms", &P::max_wait_ms, wait).range(0, 60000);
}

/// Of a waiting sequence: it is better off later. Its place is kept, so that
/// those behind it cannot take it.
inline constexpr std::int64_t kHeld = -1;
/// Tokens of a sequence in this step; 0: there is no room for it.
using Share = std::function<std::int64_t(const Sequence& sequence)>;

/// A sequence that is offered.
struct Turn {
  Sequence* sequence = nullptr;
  bool is_running = false;  ///< else it waits
};
/// Running ones, then waiting ones.
[[nodiscard]] std::vector<Turn> turns_of(const Offer& offer);

/// Running sequences without room are left out of the step; a waiting one
/// without room keeps all behind it waiting, so that none is overtaken; held
/// ones are passed over. `turns` are those of the offer, in any order.
[[nodiscard]] Plan plan_turns(const Offer& offer, const PlanRules& rules,
                              const std::vector<Turn>& turns,
                              const Share& share);
/// As they are offered.
[[nodiscard]] Plan plan_sequences(
    const Offer& offer, const PlanRules& rules,
    const Share& share = [](const Sequence& /*sequence*/) { return kAll; });

}  // namespace penstock::core

// Batch: who runs in this step, how much of each, in which rectangle?
#pragma once

#include <functional>
#include <span>

#include "penstock/forward.h"
#include "penstock/stage.h"
#include "penstock/step.h"

namespace penstock {

/// Why a step was closed as it was; shown in the summary and the trace.
enum class Closed {
  kNothing,  ///< nothing can run now
  kFull,     ///< sequences or tokens reached their limit
  kWaited,   ///< the oldest sequence waited max_wait
  kDrained,  ///< nothing more is coming
  kRunning,  ///< sequences that already run go on
};
[[nodiscard]] PENSTOCK_API std::string to_string(Closed why);

/// What plan() may choose from. Rows without output credit are not offered.
struct Offer {
  std::span<Sequence* const> waiting;  ///< oldest first
  std::span<Sequence* const> running;
  int free_slots = 0;
  std::int64_t free_units = kAll;  ///< Forward::free_units()
  bool more_coming = false;        ///< requests are being preprocessed
  Time now;
  Caps caps;  ///< Forward's
  /// Tokens of a waiting sequence that it would find computed if it started
  /// now: by its chat's last turn or, where prefixes are shared, by another.
  /// Empty: none.
  std::function<std::int64_t(const Sequence&)> found;
};

struct Plan {
  std::vector<Slice> slices;
  Closed why = Closed::kNothing;
  Time check_again_at{};  ///< with no slices: when to ask again
};

/// Engine thread only.
class PENSTOCK_API Batch : public Stage {
 public:
  static constexpr StageKind kKind = StageKind::kBatch;
  [[nodiscard]] virtual int max_sequences() const = 0;
  /// The most tokens of one sequence in one step; sizes Forward's buffers.
  [[nodiscard]] virtual std::int64_t max_step_tokens() const { return kAll; }
  /// Whether a sequence may begin with the state of another whose tokens began
  /// alike, running or ended.
  [[nodiscard]] virtual bool shares_prefixes() const { return false; }
  /// Bytes of state that ended sequences may leave behind for those that begin
  /// alike and for their chats' next turns; beyond it the oldest give way.
  [[nodiscard]] virtual std::int64_t kept_bytes() const { return kAll; }
  /// Once per item, before Decode::start(): may cut the prompt, with a note.
  virtual void admit(Item& /*item*/) {}
  /// Changes nothing. The runtime checks the plan, then gives slots.
  [[nodiscard]] virtual Plan plan(const Offer& offer) = 0;
  [[nodiscard]] virtual Tensors collate(std::span<const Slice> slices) = 0;
  /// After each step that did not fail, before its sequences change: how long
  /// it took from collate to decode. For a Batch that plans by time.
  virtual void observe(const Step& /*step*/, double /*seconds*/) {}
};

}  // namespace penstock

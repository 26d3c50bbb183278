// Forward: what does the model compute?
#pragma once

#include <span>

#include "penstock/stage.h"
#include "penstock/step.h"

namespace penstock {

/// Fixed after open(). What is missing makes things slower, never wrong, or is
/// refused at load with the reason.
struct Caps {
  int slots = 0;              ///< 0: stateless, every slice begins at 0
  std::int64_t rollback = 0;  ///< tokens truncate() can drop; kAll: any
  std::int64_t whole = 0;     ///< any from a slot that never held more
  bool can_copy = false;      ///< copy() works
  bool can_chunk = false;     ///< a prompt may be cut (never one with inputs)
};

/// Engine thread of its device, under InferenceMode. Owns state by slot.
class PENSTOCK_API Forward : public Stage {
 public:
  static constexpr StageKind kKind = StageKind::kForward;
  [[nodiscard]] virtual Caps caps() const = 0;
  /// Must fill what the slices' sequences want. When it throws, the slots of
  /// the step are released and its sequences fail.
  [[nodiscard]] virtual Result forward(const Step& step) = 0;
  virtual void release(int /*slot*/) noexcept {}
  /// Keeps the first `length` tokens of a slot.
  virtual void truncate(int /*slot*/, std::int64_t /*length*/) {}
  /// `to` is empty.
  virtual void copy(int /*from*/, int /*to*/) {}
  /// Bytes that a slot's state takes; what slots share counts for each. 0: not
  /// known.
  [[nodiscard]] virtual std::int64_t state_bytes(int /*slot*/) const {
    return 0;
  }
  /// Units of state left, where they are shared by slots (pages).
  [[nodiscard]] virtual std::int64_t free_units() const { return kAll; }
};

/// Answers what the step's sequences want from every score, for Forwards that
/// compute all of them: f32[n, vocab] of the n scored positions from `first`
/// on. In pieces, long prompts can be scored in little memory.
[[nodiscard]] PENSTOCK_API Scores fill_scores(const at::Tensor& logits,
                                              const Step& step,
                                              std::int64_t first = 0);
/// The same where row i of the scores is scored position rows[i].
[[nodiscard]] PENSTOCK_API Scores
fill_scores(const at::Tensor& logits, const Step& step,
            std::span<const std::int64_t> rows);

}  // namespace penstock

// PrefixWait: prompts that begin alike wait, while a step is planned, for the
// one that computes their beginning, and then go on from a copy of it.
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/batch.h"

namespace penstock::core {

/// Of one plan. What is computed does not depend on it, only how often.
class PrefixWait {
 public:
  explicit PrefixWait(const Caps& caps) : caps_(caps) {}

  /// The plan computes `sequence`, a prompt, from token `begin` on.
  void computes(const Sequence& sequence, std::int64_t begin,
                std::int64_t priority);
  /// Whether a waiting sequence that would find `found` tokens had better wait
  /// for one of those, of no less priority.
  [[nodiscard]] bool waits(const Sequence& sequence, std::int64_t found,
                           std::int64_t priority);
  /// Ends slices where those who wait can still go on from them: Forward may
  /// not be able to drop much of what comes behind.
  void cut(Plan& plan) const;

 private:
  struct Computed {
    const Sequence* sequence;
    std::int64_t begin, priority;
    std::int64_t end = kAll;  ///< of its slice, at most
  };

  Caps caps_;
  std::vector<Computed> computed_;
};

}  // namespace penstock::core

// Advance: whether a sequence comes forward. A sequence that is planned step
// after step while Decode changes nothing would run for ever.
#pragma once

#include "penstock/decode.h"
#include "penstock/sequence.h"

namespace penstock {

class Advance {
 public:
  /// Before `next` is applied to the sequence. Throws Error where the sequence
  /// has not come forward for too many steps.
  void look(const Sequence& sequence, const Next& next);

 private:
  std::int64_t longest_ = 0;  ///< tokens that it ever had
  int still_ = 0;             ///< steps in which nothing changed
  int vain_ = 0;  ///< steps that made it no longer and gave nothing out
};

}  // namespace penstock

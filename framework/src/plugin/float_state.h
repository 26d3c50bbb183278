// How this thread computes with floating point, kept over code that changes it.
#pragma once

#include <cfenv>

namespace penstock::plugin {

/// Takes the thread's state when made and gives it back when it ends: what is
/// linked with -ffast-math sets flush-to-zero in a static constructor, and
/// every thread started later inherits it.
class KeptFloatState {
 public:
  KeptFloatState();
  ~KeptFloatState();
  KeptFloatState(const KeptFloatState&) = delete;
  KeptFloatState& operator=(const KeptFloatState&) = delete;

  /// Whether rounding, flush-to-zero or traps are others by now; what is only
  /// told (such as that a result was inexact) does not count.
  [[nodiscard]] bool has_changed() const;

 private:
  std::fenv_t before_{};
};

}  // namespace penstock::plugin

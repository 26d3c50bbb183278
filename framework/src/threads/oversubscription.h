// Oversubscription: whether other programs use the cores, told by how long the
// threads of a region slept at its barriers.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

#include "penstock/parallel.h"

namespace penstock {

/// Counts the next regions that one thread runs alone: where other programs
/// take the cores, each barrier waits for a thread's time slice, some
/// milliseconds.
class Oversubscription {
 public:
  /// Begins anew: the number of threads has changed.
  void forget() {
    alone_ = 0;
    next_ = kFirst;
  }
  /// Whether the next region gets one thread.
  [[nodiscard]] bool is_alone() {
    // Several engines may ask at once; below 0 is none left as well.
    return alone_ > 0 && alone_-- > 0;
  }
  /// Judges a region of several threads that has just ended.
  void look(const Team& team, std::chrono::steady_clock::duration lasted) {
    const std::int64_t others = (team.size() - 1) * lasted.count();
    if (lasted < kShort || team.slept() < others * 3 / 4) {
      next_ = kFirst;
      return;
    }
    alone_ = next_.load();
    next_ = std::min(2 * next_, kMost);
  }

 private:
  static constexpr int kFirst = 16, kMost = 256;
  static constexpr std::chrono::steady_clock::duration kShort =
      std::chrono::milliseconds(2);
  std::atomic<int> alone_{0}, next_{kFirst};
};

}  // namespace penstock

// StatsBoard: counters that several threads add to.
#pragma once

#include <mutex>

#include "penstock/pipeline.h"

namespace penstock {

class StatsBoard {
 public:
  template <class Change>
  void change(Change&& change) {
    const std::scoped_lock lock(mutex_);
    change(stats_);
  }
  [[nodiscard]] Stats read() const {
    const std::scoped_lock lock(mutex_);
    return stats_;
  }

 private:
  mutable std::mutex mutex_;
  Stats stats_;
};

[[nodiscard]] inline double seconds(Time from, Time to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace penstock

// The requests of one HTTP call, which end together: the first that fails ends
// the others, and nothing is told of them afterwards.
#pragma once

#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

namespace penstock::serve {

/// Any thread.
class Together {
 public:
  /// A request that was submitted. False: all is over, and it is stopped.
  bool add(std::stop_source source) {
    {
      const std::scoped_lock lock(mutex_);
      if (!is_over_) {
        sources_.push_back(std::move(source));
        return true;
      }
    }
    source.request_stop();
    return false;
  }
  /// Calls `act`, one call at a time, unless all is over.
  template <class Act>
  void unless_over(const Act& act) {
    const std::scoped_lock lock(mutex_);
    if (!is_over_) act();
  }
  /// Once: stops what runs. False: it was over already.
  bool end() {
    std::vector<std::stop_source> sources;
    {
      const std::scoped_lock lock(mutex_);
      if (std::exchange(is_over_, true)) return false;
      sources.swap(sources_);
    }
    for (std::stop_source& each : sources) each.request_stop();
    return true;
  }
  [[nodiscard]] bool is_over() const {
    const std::scoped_lock lock(mutex_);
    return is_over_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::stop_source> sources_;
  bool is_over_ = false;
};

}  // namespace penstock::serve

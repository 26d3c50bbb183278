// Asks a run to end: a flag for loops, a descriptor for waits.
#pragma once

#include <atomic>

namespace penstock::run {

class Stop {
 public:
  Stop();
  ~Stop();
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;

  /// Any thread, any number of times.
  void request();
  [[nodiscard]] bool is_requested() const { return is_requested_; }
  /// Readable from the first request() on: for poll().
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  std::atomic<bool> is_requested_{false};
  int descriptor_;
};

}  // namespace penstock::run

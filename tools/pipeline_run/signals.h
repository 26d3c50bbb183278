// Ctrl-C and SIGTERM: the first ends the run within a step, the second at
// once.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace penstock::run {

class Signals {
 public:
  /// Blocks the signals in this thread and all that it starts; make it first.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// What the first signal does; none: the process ends at once.
  void on_stop(std::function<void()> stop);
  /// What Ctrl-C does first; false: nothing, the run ends.
  void on_interrupt(std::function<bool()> handle);
  /// 130 or 143 after a signal, else 0.
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  void wait();

  std::atomic<int> exit_code_{0};
  std::atomic<bool> is_over_{false};
  std::mutex mutex_;
  std::function<void()> stop_;
  std::function<bool()> interrupt_;
  std::thread thread_;
};

}  // namespace penstock::run

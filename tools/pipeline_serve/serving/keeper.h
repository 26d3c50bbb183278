// The thread that opens pipelines, opens others when their files have changed,
// and closes those that nobody uses any more: it may wait for disks and for
// requests, and nobody waits for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace penstock::serve {

class Keeper {
 public:
  struct Tasks {
    std::function<void()> open;    ///< first; none of them may throw
    std::function<void()> reload;  ///< each time it was asked for
    /// Closes what it can; true: call me again soon, there is more.
    std::function<bool()> close;
  };
  explicit Keeper(Tasks tasks);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Any thread, and signals that come while it reloads are one more.
  void ask_reload();
  /// Ends with the task in hand.
  void end();

 private:
  void run();
  /// Whether to go on.
  bool wait(bool has_more);

  Tasks tasks_;
  std::mutex mutex_;
  std::condition_variable asked_;
  bool must_reload_ = false, must_end_ = false;
  std::thread thread_;  ///< last
};

}  // namespace penstock::serve

// A pool of threads, the process's or a share's, and a loop that it runs.
// parallel_for() and parallel_region() are its only users.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "threads/calls.h"

namespace penstock {

/// One loop being run. Parts are claimed by a counter; the last one to leave
/// wakes the caller.
struct Loop {
  const std::function<void(std::int64_t, std::int64_t)>* body = nullptr;
  std::int64_t count = 0, part = 1;
  std::atomic<std::int64_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
  calls::Call* caller = calls::own();  ///< whose stage it is part of

  void run();
};

/// Whether the calling thread runs a part of a loop.
[[nodiscard]] bool is_inside_loop();

/// Threads that sleep between loops. Loops of several callers take turns.
class Pool {
 public:
  ~Pool() { resize(0); }

  /// Ends the helpers; the next loop starts so many.
  void resize(int helpers);
  /// Runs the loop on the caller and all helpers.
  void run(Loop& loop);
  /// False: another loop runs, and this one did not.
  [[nodiscard]] bool run_now(Loop& loop);

 private:
  void run_with_helpers(Loop& loop);
  void start();
  void help();

  std::mutex turn_;  ///< one loop at a time
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  Loop* loop_ = nullptr;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> is_stopping_{false};
  int helpers_ = 0;
};

}  // namespace penstock

// Arrivals: what Preprocess has pushed and the engine has not yet taken, and
// who is still to push. The half of a lane that any thread may call.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/job.h"

namespace penstock {

struct Arrival {
  std::shared_ptr<Job> job;
  std::shared_ptr<Item> item;
};

class Arrivals {
 public:
  /// While it lives, its holder may still push: batches expect more.
  class Upstream;

  /// Waits while the lane has enough to choose from; throws Cancelled.
  void push(const std::shared_ptr<Job>& job, Item item);
  /// Whether an Upstream lives. What its holder pushed has then arrived.
  [[nodiscard]] bool is_more_coming() const { return upstream_ > 0; }

  /// DeviceThread thread: everything that came since the last call. `waiting`:
  /// how many of the lane's sequences wait.
  [[nodiscard]] std::deque<Arrival> take(std::size_t waiting);
  /// DeviceThread thread: there is room again where fewer sequences wait.
  void set_waiting(std::size_t waiting);
  [[nodiscard]] bool is_empty() const;
  /// What was pushed and does not run yet, and how much of it makes push()
  /// wait; any thread.
  [[nodiscard]] std::pair<std::size_t, std::size_t> fill() const;

 private:
  std::atomic<int> upstream_{0};
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::deque<Arrival> arrived_;
  std::size_t waiting_ = 0;
};

class Arrivals::Upstream {
 public:
  /// `at_end` is called, on the thread that ends it, when it is over.
  Upstream(Arrivals& arrivals, std::function<void()> at_end);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

 private:
  Arrivals& arrivals_;
  std::function<void()> at_end_;
};

}  // namespace penstock

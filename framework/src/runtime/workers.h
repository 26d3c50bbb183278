// Workers: threads that take work from a queue. Clients take turns, so that one
// with much work leaves room for another's first; each client's own work is
// taken in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace penstock {

class Workers {
 public:
  /// `begin` runs once on each thread.
  Workers(int count, const std::function<void()>& begin);
  /// Finishes what is queued, then joins.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void add(std::function<void()> work, const std::string& client = {});
  /// This thread hangs: another stands in for it, and it ends when it is done
  /// with what it does. Of at most kMostHanging.
  void stand_in(long thread);
  /// What waits for a thread.
  [[nodiscard]] std::size_t queued() const;

 private:
  static constexpr std::size_t kMostHanging = 64;
  struct Line {
    std::string client;
    std::deque<std::function<void()>> works;  ///< never empty
  };
  void start();
  void run();
  std::function<void()> take();

  std::function<void()> begin_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::list<Line>
      lines_;  ///< of clients with work; whose turn is first in front
  bool is_stopping_ = false;
  std::set<long> replaced_;  ///< threads that others stand in for
  std::vector<std::thread> threads_;
};

}  // namespace penstock

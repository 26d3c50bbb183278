// Workers: threads that take work from a queue. Clients take turns, so that one
// with much work leaves room for another's first; each client's own work is
// taken in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
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

 private:
  struct Line {
    std::string client;
    std::deque<std::function<void()>> works;  ///< never empty
  };
  void run();
  std::function<void()> take();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::list<Line>
      lines_;  ///< of clients with work; whose turn is first in front
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace penstock

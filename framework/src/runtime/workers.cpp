#include "runtime/workers.h"

#include <utility>

#include "penstock/parallel.h"

namespace penstock {

Workers::Workers(int count, const std::function<void()>& begin) {
  for (int i = 0; i < count; ++i) {
    threads_.emplace_back([this, begin] {
      run_ops_serially();
      begin();
      run();
    });
  }
}

Workers::~Workers() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Workers::add(std::function<void()> work) {
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return is_stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace penstock

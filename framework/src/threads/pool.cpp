#include "threads/pool.h"

#include <algorithm>

#include "penstock/parallel.h"
#include "threads/wait.h"

namespace penstock {
namespace {

// NOLINTNEXTLINE(*-avoid-non-const-global-variables): a thread's own state
thread_local bool inside_loop = false;

}  // namespace

bool is_inside_loop() { return inside_loop; }

void Loop::run() {
  const calls::Helping helping(caller);
  inside_loop = true;
  for (;;) {
    const std::int64_t begin = next.fetch_add(part);
    if (begin >= count) break;
    try {
      (*body)(begin, std::min(begin + part, count));
    } catch (...) {
      const std::scoped_lock lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }
  inside_loop = false;
}

void Pool::resize(int helpers) {
  const std::scoped_lock turn(turn_);
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  is_stopping_ = false;
  helpers_ = helpers;
}

void Pool::run(Loop& loop) {
  const std::scoped_lock turn(turn_);
  run_with_helpers(loop);
}

bool Pool::run_now(Loop& loop) {
  const std::unique_lock turn(turn_, std::try_to_lock);
  if (turn) run_with_helpers(loop);
  return turn.owns_lock();
}

void Pool::run_with_helpers(Loop& loop) {
  start();
  {
    const std::scoped_lock lock(mutex_);
    loop_ = &loop;
    busy_ = helpers_;
    ++generation_;
  }
  wake_.notify_all();
  loop.run();
  spin_until([&] { return busy_ == 0; });
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return busy_ == 0; });
  loop_ = nullptr;
}

void Pool::start() {
  while (static_cast<int>(threads_.size()) < helpers_) {
    threads_.emplace_back([this] { help(); });
  }
}

void Pool::help() {
  run_ops_serially();
  (void)calls::mine();  // for the last words of a crash
  std::unique_lock lock(mutex_);
  std::uint64_t seen = 0;
  for (;;) {
    lock.unlock();
    spin_until([&] { return generation_ != seen || is_stopping_; });
    lock.lock();
    wake_.wait(lock, [&] {
      return is_stopping_ || (loop_ != nullptr && generation_ != seen);
    });
    if (is_stopping_) return;
    seen = generation_;
    Loop* loop = loop_;
    lock.unlock();
    loop->run();
    lock.lock();
    if (--busy_ == 0) done_.notify_one();
  }
}

}  // namespace penstock

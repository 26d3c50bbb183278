#include "runtime/workers.h"

#include <algorithm>
#include <utility>

#include "penstock/parallel.h"
#include "threads/calls.h"

namespace penstock {

Workers::Workers(int count, const std::function<void()>& begin)
    : begin_(begin) {
  const std::scoped_lock lock(mutex_);
  for (int i = 0; i < count; ++i) start();
}

void Workers::start() {
  threads_.emplace_back([this] {
    run_ops_serially();
    begin_();
    run();
  });
}

void Workers::stand_in(long thread) {
  const std::scoped_lock lock(mutex_);
  if (is_stopping_ || replaced_.size() == kMostHanging) return;
  if (replaced_.insert(thread).second) start();
}

std::size_t Workers::queued() const {
  const std::scoped_lock lock(mutex_);
  std::size_t count = 0;
  for (const Line& line : lines_) count += line.works.size();
  return count;
}

Workers::~Workers() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Workers::add(std::function<void()> work, const std::string& client) {
  {
    const std::scoped_lock lock(mutex_);
    auto line = std::ranges::find(lines_, client, &Line::client);
    if (line == lines_.end()) {
      line = lines_.insert(line, {.client = client, .works = {}});
    }
    line->works.push_back(std::move(work));
  }
  wake_.notify_one();
}

std::function<void()> Workers::take() {
  Line& line = lines_.front();
  auto work = std::move(line.works.front());
  line.works.pop_front();
  if (line.works.empty()) {
    lines_.pop_front();
  } else {
    lines_.splice(lines_.end(), lines_, lines_.begin());
  }
  return work;
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return is_stopping_ || !lines_.empty(); });
    if (lines_.empty()) return;
    const auto work = take();
    lock.unlock();
    work();
    lock.lock();
    if (replaced_.erase(calls::mine().thread) > 0) return;
  }
}

}  // namespace penstock

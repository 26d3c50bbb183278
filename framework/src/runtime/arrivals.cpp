#include "runtime/arrivals.h"

#include <chrono>
#include <utility>

namespace penstock {
namespace {

/// Waiting items beyond which Preprocess waits: enough to fill the next
/// batches, so that memory does not grow with the number of requests.
constexpr std::size_t kWaitingLimit = 256;

}  // namespace

void Arrivals::push(const std::shared_ptr<Job>& job, Item item) {
  auto owned = std::make_shared<Item>(std::move(item));
  owned->request = job->request();
  owned->index = job->begin_item(*owned);
  std::unique_lock lock(mutex_);
  while (arrived_.size() + waiting_ >= kWaitingLimit) {
    if (job->is_dead()) break;  // the engine ends the item
    room_.wait_for(lock, std::chrono::milliseconds(20));
    lock.unlock();
    job->look_at_clock(Clock::now());
    lock.lock();
  }
  arrived_.push_back({job, std::move(owned)});
}

std::deque<Arrival> Arrivals::take(std::size_t waiting) {
  std::deque<Arrival> taken;
  const std::scoped_lock lock(mutex_);
  taken.swap(arrived_);
  waiting_ = waiting + taken.size();
  return taken;
}

void Arrivals::set_waiting(std::size_t waiting) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_ = waiting;
  }
  room_.notify_all();
}

bool Arrivals::is_empty() const {
  const std::scoped_lock lock(mutex_);
  return arrived_.empty();
}

std::pair<std::size_t, std::size_t> Arrivals::fill() const {
  const std::scoped_lock lock(mutex_);
  return {arrived_.size() + waiting_, kWaitingLimit};
}

Arrivals::Upstream::Upstream(Arrivals& arrivals, std::function<void()> at_end)
    : arrivals_(arrivals), at_end_(std::move(at_end)) {
  ++arrivals_.upstream_;
}

Arrivals::Upstream::~Upstream() {
  --arrivals_.upstream_;
  at_end_();
}

}  // namespace penstock

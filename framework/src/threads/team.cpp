// Team: the barrier of a parallel region.
#include <chrono>

#include "penstock/parallel.h"
#include "threads/wait.h"

namespace penstock {

void Team::barrier() {
  // Some tens of microseconds; with more threads than cores, waiting in a loop
  // keeps the others from coming.
  static const int cores = allowed_cores();
  const int spins = size_ <= cores ? 4000 : 0;
  const unsigned meeting = meetings_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    arrived_.store(0, std::memory_order_relaxed);
    meetings_.store(meeting + 1, std::memory_order_release);
    meetings_.notify_all();
    return;
  }
  const auto is_over = [&] {
    return meetings_.load(std::memory_order_acquire) != meeting;
  };
  for (int i = 0; i < spins && !is_over(); ++i) relax();
  // The one that is waited for may have no core: sleeping leaves it this one.
  if (is_over()) return;
  using std::chrono::steady_clock;
  const auto asleep = steady_clock::now();
  meetings_.wait(meeting, std::memory_order_acquire);
  slept_ += (steady_clock::now() - asleep).count();
}

}  // namespace penstock

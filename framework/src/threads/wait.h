// Waiting for another thread: in a loop for some microseconds, and how many
// cores there are to wait on.
#pragma once

#include <sched.h>

#include <algorithm>
#include <thread>

namespace penstock {

/// Tells the processor that this is a wait.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Cores that this process may use.
inline int allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// Waits some tens of microseconds, which a thread's waking would take as well:
/// the next token's loop comes soon after the last one's.
template <class Condition>
void spin_until(const Condition& condition) {
  constexpr int kSpins = 4000;
  for (int i = 0; i < kSpins && !condition(); ++i) relax();
}

}  // namespace penstock

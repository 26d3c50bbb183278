// The process's one budget of compute threads.
//
// OpenMP teams belong to the thread that calls, so a budget of 2 becomes 11
// threads when four workers each run one tensor operation. Here only engine
// threads may use libtorch's team; every other thread calls
// run_ops_serially() once. Plugins that split work themselves use
// parallel_for(), never OpenMP: its pool is one for the process, but for
// replicas on one CPU, each of which has its own, an equal share of the budget.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "penstock/export.h"

namespace penstock {

/// Sets the budget; 0: every core this process may use. Call it before any
/// tensor operation. Later calls change the pool's size between two loops.
PENSTOCK_API void set_threads(int threads);
/// That of the calling thread: in a replica that shares its CPU with others,
/// its share of the process's.
[[nodiscard]] PENSTOCK_API int threads();

/// Tensor operations of the calling thread run on that thread alone.
PENSTOCK_API void run_ops_serially();

/// While it lives, tensor operations of its thread run on that thread alone:
/// for bodies of parallel_for() that call them.
class PENSTOCK_API SerialOps {
 public:
  SerialOps();
  SerialOps(const SerialOps&) = delete;
  SerialOps& operator=(const SerialOps&) = delete;
  ~SerialOps();

 private:
  int omp_, mkl_;
};

/// Runs body(begin, end) over parts of [0, count) of at least `grain`, on the
/// caller and up to threads() - 1 others; returns when all are done. The first
/// exception is thrown again. A call from inside a body runs serially.
PENSTOCK_API void parallel_for(
    std::int64_t count, std::int64_t grain,
    const std::function<void(std::int64_t begin, std::int64_t end)>& body);
/// The same for a loop of less than a millisecond: where another loop has the
/// pool, the caller runs this one alone and does not wait.
PENSTOCK_API void parallel_for_now(
    std::int64_t count, std::int64_t grain,
    const std::function<void(std::int64_t begin, std::int64_t end)>& body);

/// The threads of one parallel_region(), which run at once and meet.
class PENSTOCK_API Team {
 public:
  explicit Team(int size) : size_(size) {}
  [[nodiscard]] int size() const { return size_; }
  /// Returns when all `size()` threads have called it. What one wrote before,
  /// the others see after. Spins, then sleeps: work between two meetings should
  /// be short and even.
  void barrier();
  /// Nanoseconds that its threads slept in meetings, together.
  [[nodiscard]] std::int64_t slept() const { return slept_; }

 private:
  int size_;
  std::atomic<std::int64_t> slept_{0};
  std::atomic<int> arrived_{0};
  std::atomic<unsigned> meetings_{0};
};

/// Runs body(thread, team) with thread = 0 .. team.size() - 1, all at once, on
/// the caller and the pool: one wake-up for work of many short phases. The body
/// must not throw. A call from inside a loop or region has a team of one; so
/// have the regions after one whose threads did little but wait for each other,
/// as when other programs take the cores, until a later one fares better.
PENSTOCK_API void parallel_region(
    const std::function<void(int thread, Team& team)>& body);

}  // namespace penstock

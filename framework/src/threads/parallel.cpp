#include "penstock/parallel.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <utility>

#include "threads/oversubscription.h"
#include "threads/pool.h"
#include "threads/share.h"
#include "threads/wait.h"

namespace penstock {
namespace {

// NOLINTNEXTLINE(*-avoid-non-const-global-variables): the process's budget
std::atomic<int> budget{0};
// NOLINTNEXTLINE(*-avoid-non-const-global-variables): and what it is worth now
Oversubscription oversubscription;

// NOLINTNEXTLINE(*-avoid-non-const-global-variables): a thread's own state
thread_local ThreadShare* own_share = nullptr;

/// Leaked: helpers of the pool may outlive static destruction otherwise.
Pool& process_pool() {
  // NOLINTNEXTLINE(*-avoid-non-const-global-variables)
  static auto* const instance = new Pool;
  return *instance;
}

Pool& pool() {
  return own_share == nullptr ? process_pool() : own_share->pool();
}

/// What the calling thread's OpenMP and MKL use; gives MKL's number before.
int set_own_threads(int omp, int mkl) {
  // Not omp_set_max_active_levels(0): in libtorch's OpenMP runtime that is one
  // number for the whole process, and oneDNN computes NaN where it gets fewer
  // threads than it asked for.
  static const auto omp_threads = reinterpret_cast<void (*)(int)>(
      dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  static const auto mkl_threads = reinterpret_cast<int (*)(int)>(
      dlsym(RTLD_DEFAULT, "MKL_Set_Num_Threads_Local"));
  if (omp_threads != nullptr) omp_threads(omp);
  return mkl_threads != nullptr ? mkl_threads(mkl) : 0;
}

}  // namespace

void set_threads(int threads) {
  const int wanted = threads > 0 ? threads : allowed_cores();
  budget = wanted;
  oversubscription.forget();
  at::set_num_threads(wanted);
  process_pool().resize(wanted - 1);
}

int threads() {
  if (own_share != nullptr) return own_share->threads();
  if (budget == 0) set_threads(0);
  return budget;
}

void run_ops_serially() {
  // libtorch sets the thread's number once, at its first use: let it be now.
  (void)at::get_num_threads();
  set_own_threads(1, 1);
}

SerialOps::SerialOps()
    : omp_(at::get_num_threads()), mkl_(set_own_threads(1, 1)) {}

SerialOps::~SerialOps() { set_own_threads(omp_, mkl_); }

ThreadShare::ThreadShare(int threads) : threads_(threads) {
  pool_.resize(threads - 1);
}

ThreadShare::Use::Use(ThreadShare* share) : is_used_(share != nullptr) {
  if (!is_used_) return;
  before_ = std::exchange(own_share, share);
  omp_ = at::get_num_threads();
  mkl_ = set_own_threads(share->threads(), share->threads());
}

ThreadShare::Use::~Use() {
  if (!is_used_) return;
  set_own_threads(omp_, mkl_);
  own_share = before_;
}

namespace {

using Body = std::function<void(std::int64_t begin, std::int64_t end)>;

void run_loop(std::int64_t count, std::int64_t grain, const Body& body,
              bool waits) {
  if (count <= 0) return;
  const int parts = threads();
  if (is_inside_loop() || parts == 1 || count <= grain) {
    body(0, count);
    return;
  }
  Loop loop;
  loop.body = &body;
  loop.count = count;
  // Four parts a thread even out threads that start late.
  const std::int64_t pieces = std::int64_t{4} * parts;
  loop.part = std::max(grain, (count + pieces - 1) / pieces);
  if (waits) {
    pool().run(loop);
  } else if (!pool().run_now(loop)) {
    body(0, count);
    return;
  }
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace

void parallel_for(
    std::int64_t count, std::int64_t grain,
    const std::function<void(std::int64_t begin, std::int64_t end)>& body) {
  run_loop(count, grain, body, /*waits=*/true);
}

void parallel_for_now(
    std::int64_t count, std::int64_t grain,
    const std::function<void(std::int64_t begin, std::int64_t end)>& body) {
  run_loop(count, grain, body, /*waits=*/false);
}

void parallel_region(const std::function<void(int thread, Team& team)>& body) {
  const bool is_alone =
      is_inside_loop() || threads() == 1 || oversubscription.is_alone();
  Team team(is_alone ? 1 : threads());
  if (is_alone) {
    body(0, team);
    return;
  }
  // A part is a thread: who waits in a meeting cannot take a second one, and
  // the pool has a helper for each.
  const std::function<void(std::int64_t, std::int64_t)> part =
      [&](std::int64_t begin, std::int64_t) {
        body(static_cast<int>(begin), team);
        team.barrier();
      };
  Loop loop;
  loop.body = &part;
  loop.count = team.size();
  const auto begin = Clock::now();
  pool().run(loop);
  oversubscription.look(team, Clock::now() - begin);
}

}  // namespace penstock

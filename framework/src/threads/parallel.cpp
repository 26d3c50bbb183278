#include "penstock/parallel.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace penstock {
namespace {

// NOLINTNEXTLINE(*-avoid-non-const-global-variables): a thread's own state
thread_local bool inside_loop = false;

/// Tells the processor that this is a wait.
void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// One loop being run. Parts are claimed by a counter; the last one to leave
/// wakes the caller.
struct Loop {
  const std::function<void(std::int64_t, std::int64_t)>* body = nullptr;
  std::int64_t count = 0, part = 1;
  std::atomic<std::int64_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;

  void run() {
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
};

int allowed_cores() {
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

using Clock = std::chrono::steady_clock;

/// How many of the next regions one thread does alone: where other programs
/// take the cores, each meeting waits for a thread's turn, some milliseconds.
class Oversubscription {
 public:
  void forget() {
    alone_ = 0;
    next_ = kFirst;
  }
  [[nodiscard]] bool is_alone() {
    // Several engines may ask at once; below 0 is none left as well.
    return alone_ > 0 && alone_-- > 0;
  }
  /// After a region of several threads.
  void look(const Team& team, Clock::duration lasted) {
    const std::int64_t others = (team.size() - 1) * lasted.count();
    if (lasted < kShort || team.slept() < others * 3 / 4) {
      next_ = kFirst;
      return;
    }
    alone_ = next_.load();
    next_ = std::min(2 * next_, kMost);
  }

 private:
  static constexpr int kFirst = 16, kMost = 256;
  static constexpr Clock::duration kShort = std::chrono::milliseconds(2);
  std::atomic<int> alone_{0}, next_{kFirst};
};

/// Threads that sleep between loops. Loops of several callers take turns.
class Pool {
 public:
  ~Pool() { resize(0); }

  void resize(int helpers) {
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

  void run(Loop& loop) {
    const std::scoped_lock turn(turn_);
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

 private:
  void start() {
    while (static_cast<int>(threads_.size()) < helpers_) {
      threads_.emplace_back([this] { help(); });
    }
  }

  void help() {
    run_ops_serially();
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

  std::mutex turn_;  ///< one loop at a time
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  Loop* loop_ = nullptr;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> is_stopping_{false};
  int helpers_ = 0;
};

// NOLINTNEXTLINE(*-avoid-non-const-global-variables): the process's budget
std::atomic<int> budget{0};
// NOLINTNEXTLINE(*-avoid-non-const-global-variables): and what it is worth now
Oversubscription oversubscription;

/// Leaked: helpers of the pool may outlive static destruction otherwise.
Pool& pool() {
  // NOLINTNEXTLINE(*-avoid-non-const-global-variables)
  static auto* const instance = new Pool;
  return *instance;
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
  pool().resize(wanted - 1);
}

int threads() {
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

void parallel_for(
    std::int64_t count, std::int64_t grain,
    const std::function<void(std::int64_t begin, std::int64_t end)>& body) {
  if (count <= 0) return;
  const int parts = threads();
  if (inside_loop || parts == 1 || count <= grain) {
    body(0, count);
    return;
  }
  Loop loop;
  loop.body = &body;
  loop.count = count;
  // Four parts a thread even out threads that start late.
  const std::int64_t pieces = std::int64_t{4} * parts;
  loop.part = std::max(grain, (count + pieces - 1) / pieces);
  pool().run(loop);
  if (loop.error) std::rethrow_exception(loop.error);
}

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
  const auto asleep = Clock::now();
  meetings_.wait(meeting, std::memory_order_acquire);
  slept_ += (Clock::now() - asleep).count();
}

void parallel_region(const std::function<void(int thread, Team& team)>& body) {
  const bool is_alone =
      inside_loop || threads() == 1 || oversubscription.is_alone();
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

#include "penstock/parallel.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace penstock {
namespace {

thread_local bool inside_loop = false;

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
  std::uint64_t generation_ = 0;
  int helpers_ = 0, busy_ = 0;
  bool is_stopping_ = false;
};

int allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::atomic<int> budget{0};

/// Leaked: helpers of the pool may outlive static destruction otherwise.
Pool& pool() {
  static auto* const instance = new Pool;  // NOLINT(*-owning-memory)
  return *instance;
}

}  // namespace

void set_threads(int threads) {
  const int wanted = threads > 0 ? threads : allowed_cores();
  budget = wanted;
  at::set_num_threads(wanted);
  pool().resize(wanted - 1);
}

int threads() {
  if (budget == 0) set_threads(0);
  return budget;
}

void run_ops_serially() {
  // Not omp_set_max_active_levels(0): in libtorch's OpenMP runtime that is one
  // number for the whole process, and oneDNN computes NaN where it gets fewer
  // threads than it asked for.
  static const auto omp_threads = reinterpret_cast<void (*)(int)>(
      dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  static const auto mkl_threads = reinterpret_cast<int (*)(int)>(
      dlsym(RTLD_DEFAULT, "MKL_Set_Num_Threads_Local"));
  // libtorch sets the thread's number once, at its first use: let it be now.
  (void)at::get_num_threads();
  if (omp_threads != nullptr) omp_threads(1);
  if (mkl_threads != nullptr) (void)mkl_threads(1);
}

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
  loop.part = std::max(grain, (count + parts * 4 - 1) / (parts * 4));
  pool().run(loop);
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace penstock

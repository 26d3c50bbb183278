// ThreadShare: a part of the process's budget of compute threads, for a replica
// that runs beside others on one CPU.
#pragma once

#include "threads/pool.h"

namespace penstock {

class ThreadShare {
 public:
  /// `threads`: 1 or more.
  explicit ThreadShare(int threads);

  [[nodiscard]] int threads() const { return threads_; }
  /// Of its loops; nobody else's wait for them.
  [[nodiscard]] Pool& pool() { return pool_; }

  /// While it lives, the share is the calling thread's budget: of its tensor
  /// operations, of parallel_for() and parallel_region(), and what threads()
  /// says. null: the budget stays as it is.
  class Use {
   public:
    explicit Use(ThreadShare* share);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    bool is_used_;
    ThreadShare* before_ = nullptr;
    int omp_ = 0, mkl_ = 0;
  };

 private:
  int threads_;
  Pool pool_;
};

}  // namespace penstock

// A thread's share of a parallel region's work.
#pragma once

#include <cstdint>

namespace penstock::kernels {

/// Items [begin, end) of `count`: equal shares in the threads' order.
struct Share {
  std::int64_t begin, end;
  Share(std::int64_t count, int thread, int threads)
      : begin(count * thread / threads), end(count * (thread + 1) / threads) {}
};

}  // namespace penstock::kernels

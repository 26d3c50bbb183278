// Part of a parallel region's work for one thread.
#pragma once

#include <cstdint>

namespace penstock::kernels {

/// Items [begin, end) of `count`: even parts, in the threads' order.
struct Share {
  std::int64_t begin, end;
  Share(std::int64_t count, int thread, int threads)
      : begin(count * thread / threads), end(count * (thread + 1) / threads) {}
};

}  // namespace penstock::kernels

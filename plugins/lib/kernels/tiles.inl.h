// Tiles: a few rows of activations by one panel, with the sums in registers;
// how tiles cover a product, and prefetching. Included by *.inl.h only.
#pragma once

#include "lib/kernels/kernels.h"
#include "lib/kernels/level.h"

namespace penstock::kernels::PENSTOCK_LEVEL {

/// Prefetches memory that will be read in some microseconds into the
/// second-level cache: the first has too few requests in flight for the
/// memory's bandwidth.
PENSTOCK_LANE void prefetch(const void* at) {
  constexpr std::int64_t kAhead = 32768;
  __builtin_prefetch(static_cast<const std::uint8_t*>(at) + kAhead, 0, 2);
}

/// One tile's share of the prefetching, spread evenly over its steps: a
/// processor has room for few requests and stalls on the next.
class Prefetch {
 public:
  /// Prefetches `bytes` from `begin` on in `steps` steps, as far as they fall
  /// to rows [row, row + rows) of n.
  [[gnu::always_inline]] Prefetch(const std::uint8_t* begin, std::int64_t bytes,
                                  std::int64_t row, std::int64_t rows,
                                  std::int64_t n, std::int64_t steps)
      : line_(begin + bytes * row / n),
        asked_(line_),
        bytes_((bytes * rows + n * steps - 1) / (n * steps)) {}

  [[gnu::always_inline]] void next() {
    for (asked_ += bytes_; line_ < asked_; line_ += 64) prefetch(line_);
  }

 private:
  const std::uint8_t *line_, *asked_;
  std::int64_t bytes_;  ///< prefetched in a step
};

/// Keeps the compiler from holding sums across it, which would
/// spill hot registers.
PENSTOCK_LANE void compiler_barrier() { asm volatile("" ::: "memory"); }

/// Calls tile<kRows>(row) for whole tiles of kRows rows, then of half as many,
/// and so on.
template <int kRows, class Tile>
PENSTOCK_LANE void each_tile(std::int64_t row, std::int64_t n,
                             const Tile& tile) {
  for (; row + kRows <= n; row += kRows) tile.template operator()<kRows>(row);
  if constexpr (kRows > 1) each_tile<kRows / 2>(row, n, tile);
}

/// Calls one tile for the remaining rows, at most kRows.
template <int kRows, class Tile>
PENSTOCK_LANE void last_tile(std::int64_t row, std::int64_t n,
                             const Tile& tile) {
  if (n - row == kRows) {
    tile.template operator()<kRows>(row);
  } else if constexpr (kRows > 1) {
    last_tile<kRows - 1>(row, n, tile);
  }
}
/// Calls tile<kRows>(row) for whole tiles, then one tile
/// for the remaining rows.
template <int kRows, class Tile>
PENSTOCK_LANE void each_whole_tile(std::int64_t n, const Tile& tile) {
  std::int64_t row = 0;
  for (; row + kRows <= n; row += kRows) tile.template operator()<kRows>(row);
  last_tile<kRows - 1>(row, n, tile);
}

/// Calls tile<kRows>(panel, row, y) for all rows by each of
/// panels [first, last).
template <int kMost, class Tile>
PENSTOCK_LANE void each_panel(const Panels& w, std::int64_t first,
                              std::int64_t last, std::int64_t n, float* y,
                              std::int64_t y_stride, const Tile& tile) {
  for (std::int64_t p = first; p < last; ++p) {
    const std::uint8_t* panel = w.data + p * w.panel_bytes;
    each_whole_tile<kMost>(n, [&]<int kRows>(std::int64_t row) {
      tile.template operator()<kRows>(panel, row,
                                      y + row * y_stride + p * kPanel);
    });
  }
}

}  // namespace penstock::kernels::PENSTOCK_LEVEL

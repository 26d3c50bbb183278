// Tiles: some rows of activations by one panel, whose sums stay in registers;
// how they cover a product, and what they share. Included by *.inl.h only.
#pragma once

#include "lib/kernels/kernels.h"
#include "lib/kernels/level.h"

namespace penstock::kernels::PENSTOCK_LEVEL {

/// Asks for memory that will be read in some microseconds, into the second
/// cache: the first has too few requests in flight for the memory's bandwidth.
PENSTOCK_LANE void prefetch(const void* at) {
  constexpr std::int64_t kAhead = 32768;
  __builtin_prefetch(static_cast<const std::uint8_t*>(at) + kAhead, 0, 2);
}

/// The part of the memory ahead that one tile asks for, evenly over its steps:
/// a processor has room for a few requests only, and stands still for the next.
class Prefetch {
 public:
  /// Of `bytes` from `begin` on, by rows [row, row + rows) of n, in some steps.
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
  std::int64_t bytes_;  ///< a step
};

/// Keeps the compiler from holding sums across: it would spill what is hot.
PENSTOCK_LANE void compiler_barrier() { asm volatile("" ::: "memory"); }

/// Calls tile<kRows>(row) for tiles of kRows rows, and half as many each time
/// for those that are left.
template <int kRows, class Tile>
PENSTOCK_LANE void each_tile(std::int64_t row, std::int64_t n,
                             const Tile& tile) {
  for (; row + kRows <= n; row += kRows) tile.template operator()<kRows>(row);
  if constexpr (kRows > 1) each_tile<kRows / 2>(row, n, tile);
}

/// As each_tile, with one tile for all that are left.
template <int kRows, class Tile>
PENSTOCK_LANE void last_tile(std::int64_t row, std::int64_t n,
                             const Tile& tile) {
  if (n - row == kRows) {
    tile.template operator()<kRows>(row);
  } else if constexpr (kRows > 1) {
    last_tile<kRows - 1>(row, n, tile);
  }
}
template <int kRows, class Tile>
PENSTOCK_LANE void each_whole_tile(std::int64_t n, const Tile& tile) {
  std::int64_t row = 0;
  for (; row + kRows <= n; row += kRows) tile.template operator()<kRows>(row);
  last_tile<kRows - 1>(row, n, tile);
}

/// Calls tile<kRows>(panel, row, y of both) for all of panels [first, last).
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

// The norm that begins most kernels: x' = x + norm(y) * post, then norm(x') *
// weight, for the rows of a tile.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

/// 1 / sqrt(mean of squares + epsilon), of a warp's parts of the sum of
/// squares.
template <BlockOfThreads Block>
PENSTOCK_GPU float norm_factor(Block& block, float sum, int n, float epsilon) {
  return 1.0F / sqrtf(warp_sum(block, sum) / static_cast<float>(n) + epsilon);
}

PENSTOCK_GPU void add_squares(const float (&x)[8], float& sum) {
  PENSTOCK_UNROLL
  for (const float each : x) sum += each * each;
}

/// What x' of one row is made of.
template <BlockOfThreads Block>
struct NextRow {
  typename Block::template Global<const float> x, y, post;
  bool is_empty, has_y;
  float y_factor = 0;

  PENSTOCK_GPU NextRow(Block& block, const Residual& in, int row)
      : post(block.global(in.post, "post")) {
    const auto x_rows = block.global(in.x_rows, "x_rows");
    const auto y_rows = block.global(in.y_rows, "y_rows");
    const int x_row = x_rows == nullptr ? row : x_rows[row];
    const int y_row = y_rows == nullptr ? row : y_rows[row];
    is_empty = x_row < 0;
    has_y = in.y != nullptr && !is_empty && y_row >= 0;
    x = block.global(in.x, "x") +
        std::int64_t{is_empty ? 0 : x_row} * in.hidden;
    y = block.global(in.y, "y") + std::int64_t{has_y ? y_row : 0} * in.hidden;
    if (!has_y) return;
    float sum = 0;
    for (int i = block.lane() * 8; i < in.hidden; i += kWarp * 8) {
      float numbers[8];
      load8(block, y + i, numbers);
      add_squares(numbers, sum);
    }
    y_factor = norm_factor(block, sum, in.hidden, in.epsilon);
  }

  /// Numbers [i, i + 8).
  PENSTOCK_GPU void get(Block& block, int i, float (&out)[8]) const {
    load8(block, x + i, out);
    PENSTOCK_UNROLL
    for (float& number : out) number = is_empty ? 0.0F : number;
    if (!has_y) return;
    float add[8];
    float factors[8];
    load8(block, y + i, add);
    load8(block, post + i, factors);
    PENSTOCK_UNROLL
    for (int j = 0; j < 8; ++j) out[j] += add[j] * y_factor * factors[j];
  }
};

/// One row by one warp, into `to`, pointer to T. x' is made twice, not kept:
/// what it is made of is in the first cache. `keeps`: this block writes what is
/// to be kept.
template <class T, BlockOfThreads Block, class Pointer>
PENSTOCK_GPU void norm_row(Block& block, const Residual& in, int row,
                           bool keeps, Pointer to) {
  const int n = in.hidden;
  const NextRow<Block> next(block, in, row);
  float sum = 0;
  for (int i = block.lane() * 8; i < n; i += kWarp * 8) {
    float numbers[8];
    next.get(block, i, numbers);
    add_squares(numbers, sum);
  }
  const float factor = norm_factor(block, sum, n, in.epsilon);
  const auto weight = block.global(in.weight, "weight");
  const auto x_out = block.global(keeps ? in.x_out : nullptr, "x_out");
  const auto normed_out =
      block.global(keeps ? in.normed_out : nullptr, "normed_out");
  for (int i = block.lane() * 8; i < n; i += kWarp * 8) {
    float numbers[8];
    float factors[8];
    next.get(block, i, numbers);
    load8(block, weight + i, factors);
    const std::int64_t at = std::int64_t{row} * n + i;
    if (x_out != nullptr) store_numbers<float>(block, x_out + at, numbers);
    PENSTOCK_UNROLL
    for (int j = 0; j < 8; ++j) numbers[j] *= factor * factors[j];
    if (normed_out != nullptr)
      store_numbers<float>(block, normed_out + at, numbers);
    store_numbers<T>(block, to + i, numbers);
  }
}

/// Rows [first, first + count) into `to`, in.hidden apart, by a warp each. Ends
/// with a barrier.
template <class T, BlockOfThreads Block, class Pointer>
PENSTOCK_GPU void norm_tile(Block& block, const Residual& in, int first,
                            int count, bool keeps, Pointer to) {
  for (int r = block.warp(); r < count; r += block.warps()) {
    norm_row<T>(block, in, first + r, keeps, to + r * in.hidden);
  }
  block.sync();
}

/// The kernel `norm`: a warp has a row.
template <class T, BlockOfThreads Block>
PENSTOCK_GPU void norm(Block& block, const NormParams& p) {
  block.wait_previous();
  const int row = block.x() * block.warps() + block.warp();
  if (row >= p.in.rows) return;
  const auto out = block.global(static_cast<T*>(p.out), "out");
  norm_row<T>(block, p.in, row, /*keeps=*/true,
              out + std::int64_t{row} * p.in.hidden);
}

}  // namespace penstock::gemma::cuda

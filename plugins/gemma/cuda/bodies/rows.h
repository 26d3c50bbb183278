// Products of few rows: qkv, gate_up and product_rows. A warp has two rows of
// weights and reads each once for all rows of the tile.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/bodies/norm.h"
#include "gemma/cuda/bodies/place.h"
#include "gemma/cuda/bodies/weights.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

PENSTOCK_GPU float gelu_tanh(float x) {
  constexpr float kRoot = 0.79788456080286536F;  // sqrt(2 / pi)
  return 0.5F * x * (1.0F + tanhf(kRoot * (x + 0.044715F * x * x * x)));
}

/// The block that is the last to have part of a head places it.
template <class T, BlockOfThreads Block>
PENSTOCK_GPU void place_when_whole(Block& block, const QkvParams& p, int head,
                                   int first_row) {
  const auto is_last = block.template shared<std::uint32_t>(1, "is_last");
  block.sync();
  if (block.thread() == 0) {
    const auto blocks =
        static_cast<std::uint32_t>(p.place.head_dim / kQkvOutputs);
    block.fence();
    const auto ticket = block.global(p.tickets, "tickets") +
                        (block.y() * p.place.all_heads() + head);
    is_last[0] = static_cast<std::uint32_t>(
        block.atomic_wrap(ticket, blocks - 1) == blocks - 1);
    block.fence();
  }
  block.sync();
  if (is_last[0] == 0) return;
  const int rows = least(kRowTile, p.in.rows - first_row);
  for (int r = block.warp(); r < rows; r += block.warps()) {
    place_head<T>(block, p.place, first_row + r, head);
  }
}

template <class W, BlockOfThreads Block>
PENSTOCK_GPU void qkv(Block& block, const QkvParams& p) {
  using T = ActOf<W>;
  const int hidden = p.in.hidden;
  const int output = block.x() * kQkvOutputs + block.warp() * 2;
  const int first_row = block.y() * kRowTile;
  const int rows = least(kRowTile, p.in.rows - first_row);
  const int outputs = p.place.all_heads() * p.place.head_dim;
  const WeightRow<W, Block> one(block, p.weight, output, hidden);
  const WeightRow<W, Block> two(block, p.weight, output + 1, hidden);
  prefetch_two(block, one, two, 0, hidden);
  block.wait_previous();
  const auto normed = block.template shared<T>(kRowTile * hidden, "normed");
  const auto raw = block.global(p.place.raw, "raw");
  norm_tile<T>(block, p.in, first_row, rows, block.x() == 0, normed);
  with_rows(rows, [&]<int kRows>() {
    float sums[2 * kRows] = {};
    dot_two<kRows>(block, one, two, normed, rows, hidden, 0, hidden, sums);
    warp_sums<2 * kRows>(block, sums);
    const int index = sum_index<2 * kRows>(block.lane());
    const int row = index % kRows;
    if (is_first_with_sum<2 * kRows>(block.lane()) && row < rows) {
      raw[std::int64_t{first_row + row} * outputs + output + index / kRows] =
          sums[0];
    }
  });
  place_when_whole<T>(block, p, block.x() * kQkvOutputs / p.place.head_dim,
                      first_row);
}

template <class W, BlockOfThreads Block>
PENSTOCK_GPU void gate_up(Block& block, const GateUpParams& p) {
  using T = ActOf<W>;
  const int hidden = p.in.hidden;
  const int output = block.x() * block.warps() + block.warp();
  const int first_row = block.y() * kRowTile;
  const int rows = least(kRowTile, p.in.rows - first_row);
  const bool has_output = output < p.ffn;
  // A warp without an output does another's again: it must reach the barriers.
  const int mine = has_output ? output : p.ffn - 1;
  const WeightRow<W, Block> gate(block, p.weight, mine, hidden);
  const WeightRow<W, Block> up(block, p.weight, mine + p.ffn, hidden);
  prefetch_two(block, gate, up, 0, hidden);
  block.wait_previous();
  const auto normed = block.template shared<T>(kRowTile * hidden, "normed");
  const auto out = block.global(static_cast<T*>(p.out), "out");
  norm_tile<T>(block, p.in, first_row, rows, block.x() == 0, normed);
  with_rows(rows, [&]<int kRows>() {
    float sums[2 * kRows] = {};
    dot_two<kRows>(block, gate, up, normed, rows, hidden, 0, hidden, sums);
    warp_sums<2 * kRows>(block, sums);
    // The gate of row r is with lane 32 / (2 kRows) * r, its up half a warp on.
    const float up_sum = block.shuffle_xor(sums[0], kWarp / 2);
    const int row = sum_index<2 * kRows>(block.lane());
    if (is_first_with_sum<2 * kRows>(block.lane()) && row < rows &&
        has_output) {
      out[std::int64_t{first_row + row} * p.ffn + output] =
          from_float<T>(gelu_tanh(sums[0]) * up_sum);
    }
  });
}

/// Columns [begin, end) of a warp, in whole reads of a warp.
struct ColumnShare {
  int begin, end;
};
template <class W, BlockOfThreads Block>
PENSTOCK_GPU ColumnShare column_share(Block& block, int columns) {
  constexpr int kStep = kWarp * WeightRow<W, Block>::kColumns;
  const int steps = (columns + kStep - 1) / kStep;
  const int share = (steps + block.warps() - 1) / block.warps() * kStep;
  const int begin = least(block.warp() * share, columns);
  return {begin, least(begin + share, columns)};
}

/// Two outputs a block; its warps share the columns.
template <class W, BlockOfThreads Block>
PENSTOCK_GPU void product_rows(Block& block, const ProductParams& p) {
  using T = ActOf<W>;
  const int output = block.x() * 2;
  const int first_row = block.y() * kRowTile;
  const int rows = least(kRowTile, p.rows - first_row);
  const WeightRow<W, Block> one(block, p.weight, output, p.columns);
  const WeightRow<W, Block> two(block, p.weight, output + 1, p.columns);
  const ColumnShare share = column_share<W>(block, p.columns);
  prefetch_two(block, one, two, share.begin, share.end);
  block.wait_previous();
  const auto in = block.global(static_cast<const T*>(p.in), "in") +
                  std::int64_t{first_row} * p.columns;
  const auto out = block.global(p.out, "out");
  const auto parts =
      block.template shared<float>(block.warps() * 2 * kRowTile, "parts");
  with_rows(rows, [&]<int kRows>() {
    float sums[2 * kRows] = {};
    dot_two<kRows>(block, one, two, in, rows, p.columns, share.begin, share.end,
                   sums);
    warp_sums<2 * kRows>(block, sums);
    if (is_first_with_sum<2 * kRows>(block.lane())) {
      parts[block.warp() * 2 * kRows + sum_index<2 * kRows>(block.lane())] =
          sums[0];
    }
    block.sync();
    const int row = block.thread() % kRows;
    if (block.thread() >= 2 * kRows || row >= rows) return;
    float sum = 0;
    for (int w = 0; w < block.warps(); ++w) {
      sum += parts[w * 2 * kRows + block.thread()];
    }
    out[std::int64_t{first_row + row} * p.outputs + output +
        block.thread() / kRows] = sum;
  });
}

}  // namespace penstock::gemma::cuda

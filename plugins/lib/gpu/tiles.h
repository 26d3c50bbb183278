// Tiles of 16 x 16 that a warp multiplies by tensor cores, as the instructions
// ldmatrix and mma.m16n8k16 spread them over its lanes.
//
// Lane l is in row g = l / 4 of eight and has columns c = 2 (l % 4) and c + 1
// of eight. A register has two bf16, the lower column in its lower half.
#pragma once

#include <cstdint>

#include "lib/gpu/block.h"

namespace penstock::gpu {

/// Rows by what is summed over: (g, c), (g + 8, c), (g, c + 8), (g + 8, c + 8).
struct TileA {
  std::uint32_t at[4];
};

/// Outputs by what is summed over: (g, c), (g, c + 8), (g + 8, c),
/// (g + 8, c + 8).
struct TileB {
  std::uint32_t at[4];
};

/// Rows by outputs, pairs: (g, c), (g + 8, c), (g, c + 8), (g + 8, c + 8).
struct TileSum {
  float at[8];
};

/// Where number i of a lane's TileSum is.
PENSTOCK_GPU_HOST constexpr int sum_row(int lane, int i) {
  return lane / 4 + i % 4 / 2 * 8;
}
PENSTOCK_GPU_HOST constexpr int sum_output(int lane, int i) {
  return lane % 4 * 2 + i % 2 + i / 4 * 8;
}

PENSTOCK_GPU_HOST std::uint32_t pack_two(float low, float high) {
  return from_float<Bf16>(low).bits |
         static_cast<std::uint32_t>(from_float<Bf16>(high).bits) << 16;
}

/// Sums, rounded, as what the next product multiplies.
PENSTOCK_GPU_HOST TileA as_rows(const TileSum& sum) {
  TileA out;
  PENSTOCK_UNROLL
  for (int i = 0; i < 4; ++i) {
    const int low = 2 * i;
    out.at[i] = pack_two(sum.at[low], sum.at[low + 1]);
  }
  return out;
}

PENSTOCK_GPU_HOST void clear(TileSum& sum) {
  PENSTOCK_UNROLL
  for (float& number : sum.at) number = 0;
}

/// 16 rows of 16 bf16, `stride` apart (a multiple of 8).
template <class Block, class Pointer>
PENSTOCK_GPU void load_tile(Block& block, TileA& to, Pointer from, int stride) {
  const int lane = block.lane();
  block.template load_matrices<false>(
      from + (lane % 16 * stride + lane / 16 * 8), to.at);
}
template <class Block, class Pointer>
PENSTOCK_GPU void load_tile(Block& block, TileB& to, Pointer from, int stride) {
  const int lane = block.lane();
  block.template load_matrices<false>(
      from + ((lane / 16 * 8 + lane % 8) * stride + lane / 8 % 2 * 8), to.at);
}
/// The same of memory that has outputs in its columns.
template <class Block, class Pointer>
PENSTOCK_GPU void load_transposed(Block& block, TileB& to, Pointer from,
                                  int stride) {
  const int lane = block.lane();
  block.template load_matrices<true>(
      from + (lane % 16 * stride + lane / 16 * 8), to.at);
}

template <class Block, class Pointer>
PENSTOCK_GPU void store_tile(Block& block, Pointer to, const TileSum& sum,
                             int stride) {
  PENSTOCK_UNROLL
  for (int i = 0; i < 8; ++i) {
    to[sum_row(block.lane(), i) * stride + sum_output(block.lane(), i)] =
        sum.at[i];
  }
}

}  // namespace penstock::gpu

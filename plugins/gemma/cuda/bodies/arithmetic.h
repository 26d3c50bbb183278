// What several kernels are made of: sums over a warp and numbers eight at a
// time.
#pragma once

#include "lib/gpu/block.h"

namespace penstock::gemma::cuda {

using gpu::Bf16;
using gpu::BlockOfThreads;
using gpu::from_float;
using gpu::kWarp;
using gpu::to_float;
using gpu::Wide;

PENSTOCK_GPU constexpr int least(int a, int b) { return a < b ? a : b; }

template <BlockOfThreads Block>
PENSTOCK_GPU float warp_sum(Block& block, float x) {
  PENSTOCK_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    x += block.shuffle_xor(x, mask);
  }
  return x;
}

template <BlockOfThreads Block>
PENSTOCK_GPU float warp_max(Block& block, float x) {
  PENSTOCK_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    x = fmaxf(x, block.shuffle_xor(x, mask));
  }
  return x;
}

/// Sums kCount numbers, a power of 2 up to 32, over the warp at once: 31
/// exchanges for 16 of them, not 80. The sum of number sum_index<kCount>(lane)
/// is left in x[0]. A step halves the numbers and the lanes that have them; it
/// is a function of its own so that x stays in registers.
template <int kCount, int kMask = kWarp / 2, BlockOfThreads Block, int kSize>
PENSTOCK_GPU void warp_sums(Block& block, float (&x)[kSize]) {
  if constexpr (kCount > 1) {
    constexpr int kHalf = kCount / 2;
    const bool is_upper = (block.lane() & kMask) != 0;
    PENSTOCK_UNROLL
    for (int i = 0; i < kHalf; ++i) {
      const float sent = is_upper ? x[i] : x[i + kHalf];
      const float kept = is_upper ? x[i + kHalf] : x[i];
      x[i] = kept + block.shuffle_xor(sent, kMask);
    }
    warp_sums<kHalf, kMask / 2>(block, x);
  } else if constexpr (kMask > 0) {
    x[0] += block.shuffle_xor(x[0], kMask);
    warp_sums<1, kMask / 2>(block, x);
  }
}

/// Which of the numbers a lane has the sum of; several lanes have the same.
template <int kCount>
PENSTOCK_GPU constexpr int sum_index(int lane) {
  return lane / (kWarp / kCount);
}
/// Whether it is the first of them.
template <int kCount>
PENSTOCK_GPU constexpr bool is_first_with_sum(int lane) {
  return lane % (kWarp / kCount) == 0;
}

/// Sets 8 numbers from 8 of a pointer; of bf16 16 bytes, of f32 32.
template <BlockOfThreads Block, class Pointer>
PENSTOCK_GPU void load8(Block& block, Pointer from, float (&to)[8]) {
  const auto first = block.load(from);
  constexpr int kCount = decltype(first)::kCount;
  unpack(first, to);
  if constexpr (kCount == 4) unpack(block.load(from + 4), to + 4);
}

template <class T, BlockOfThreads Block, class Pointer, int kCount>
PENSTOCK_GPU void store_numbers(Block& block, Pointer to,
                                const float (&from)[kCount]) {
  PENSTOCK_UNROLL
  for (int i = 0; i < kCount; i += Wide<T>::kCount) {
    Wide<T> wide;
    PENSTOCK_UNROLL
    for (int j = 0; j < Wide<T>::kCount; ++j) {
      wide.at[j] = from_float<T>(from[i + j]);
    }
    block.store(to + i, wide);
  }
}

/// Calls what<kRows>() with the least of 1, 2, 4 and 8 that is not below rows,
/// of which there are kMost at most.
template <int kMost = 8, class What>
PENSTOCK_GPU void with_rows(int rows, What what) {
  if (rows <= 1) {
    what.template operator()<1>();
  } else if (rows == 2) {
    what.template operator()<2>();
  } else if (rows <= 4 || kMost <= 4) {
    what.template operator()<4>();
  } else if constexpr (kMost > 4) {
    what.template operator()<8>();
  }
}

}  // namespace penstock::gemma::cuda

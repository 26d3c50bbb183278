// The best k of many packed scores, by a warp. For few, turn by turn. For more:
// the scores are cut into 128 groups, four a lane; the k-th best of the groups'
// best is a bound that all of the best k reach, and hardly any other does (for
// random scores 100 of 72); those are sorted. Turns are the way out where more
// than 128 reach it.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/bodies/score.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

/// Turns cost a tenth of a microsecond each; so many are cheaper than the rest.
inline constexpr int kMostTurns = 4;
/// Of the best, so many has each lane.
inline constexpr int kBestShares = (kMostBest + kWarp - 1) / kWarp;

PENSTOCK_GPU std::uint32_t packed_order(std::uint64_t packed) {
  return static_cast<std::uint32_t>(packed >> 32);
}

template <BlockOfThreads Block>
PENSTOCK_GPU std::uint64_t warp_best(Block& block, std::uint64_t x) {
  PENSTOCK_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    const std::uint64_t other = block.shuffle_xor(x, mask);
    x = other > x ? other : x;
  }
  return x;
}

/// The largest bound that `k` of the groups' best reach; 1 where fewer are
/// there at all. Found bit by bit.
template <BlockOfThreads Block>
PENSTOCK_GPU std::uint32_t group_bound(Block& block,
                                       const std::uint32_t (&groups)[4],
                                       int k) {
  std::uint32_t bound = 0;
  for (std::uint32_t bit = 0x80000000U; bit != 0; bit /= 2) {
    int reach = 0;
    PENSTOCK_UNROLL
    for (const std::uint32_t group : groups) {
      reach += gpu::count_bits(block.ballot(group >= (bound | bit)));
    }
    if (reach >= k) bound |= bit;
  }
  return bound == 0 ? 1 : bound;
}

PENSTOCK_GPU void order_two(std::uint64_t& a, std::uint64_t& b,
                            bool is_falling) {
  if ((a < b) != is_falling) return;
  const std::uint64_t old = a;
  a = b;
  b = old;
}

/// The steps of a bitonic sort between lanes; element j * 32 + lane is x[j].
template <BlockOfThreads Block>
PENSTOCK_GPU void order_lanes(Block& block, std::uint64_t (&x)[4], int size) {
  for (int stride = least(size, kWarp) / 2; stride > 0; stride /= 2) {
    const bool is_lower = (block.lane() & stride) == 0;
    PENSTOCK_UNROLL
    for (int j = 0; j < 4; ++j) {
      const bool is_falling = ((j * kWarp + block.lane()) & size) == 0;
      const std::uint64_t other = block.shuffle_xor(x[j], stride);
      const bool takes_larger = is_lower == is_falling;
      x[j] = (other > x[j]) == takes_larger ? other : x[j];
    }
  }
}

/// Sorts 128 numbers of a warp, the largest first.
template <BlockOfThreads Block>
PENSTOCK_GPU void sort_falling(Block& block, std::uint64_t (&x)[4]) {
  for (int size = 2; size <= kWarp; size *= 2) order_lanes(block, x, size);
  order_two(x[0], x[1], true);
  order_two(x[2], x[3], false);
  order_lanes(block, x, 2 * kWarp);
  order_two(x[0], x[2], true);
  order_two(x[1], x[3], true);
  order_two(x[0], x[1], true);
  order_two(x[2], x[3], true);
  order_lanes(block, x, 4 * kWarp);
}

/// The k best of a warp's scores [0, count), best first, in turns. Each lane
/// keeps the best of its own that was not taken yet, so a turn is one exchange
/// and one look at a lane's scores.
template <BlockOfThreads Block, class Packed, class Best>
PENSTOCK_GPU void take_in_turns(Block& block, Packed packed, int count, int k,
                                Best best) {
  const auto best_below = [&](std::uint64_t limit) {
    std::uint64_t out = 0;
    for (int i = block.lane(); i < count; i += kWarp) {
      const std::uint64_t each = packed(i);
      if (each < limit && each > out) out = each;
    }
    return out;
  };
  std::uint64_t mine = best_below(~std::uint64_t{0});
  for (int turn = 0; turn < k; ++turn) {
    const std::uint64_t all = warp_best(block, mine);
    if (block.lane() == 0) best[turn] = all;
    if (mine == all && all != 0) mine = best_below(all);
  }
}

/// Places, in `places` (kMostReach of the warp's own), of the scores that reach
/// the bound; returns how many there are, of which only so many are placed.
template <BlockOfThreads Block, class Packed, class Places>
PENSTOCK_GPU int place_reaching(Block& block, Packed packed, int count,
                                std::uint32_t bound, Places places) {
  const std::uint32_t before = (1U << block.lane()) - 1;
  int found = 0;
  for (int from = 0; from < count; from += kWarp) {
    const int i = from + block.lane();
    const bool reaches = i < count && packed_order(packed(i)) >= bound;
    const std::uint32_t all = block.ballot(reaches);
    const int at = found + gpu::count_bits(all & before);
    if (reaches && at < kMostReach) places[at] = static_cast<std::uint16_t>(i);
    found += gpu::count_bits(all);
  }
  block.sync_warp();
  return found;
}

/// The k best of packed(i) of [0, count), by a warp, best first.
template <BlockOfThreads Block, class Packed, class Places, class Best>
PENSTOCK_GPU void take_best(Block& block, Packed packed, int count, int k,
                            Places places, Best best) {
  if (k <= kMostTurns) return take_in_turns(block, packed, count, k, best);
  std::uint32_t groups[4] = {};
  for (int from = 0; from < count; from += 4 * kWarp) {
    PENSTOCK_UNROLL
    for (int j = 0; j < 4; ++j) {
      const int i = from + j * kWarp + block.lane();
      const std::uint32_t each = i < count ? packed_order(packed(i)) : 0;
      groups[j] = each > groups[j] ? each : groups[j];
    }
  }
  const std::uint32_t bound = group_bound(block, groups, k);
  const int found = place_reaching(block, packed, count, bound, places);
  if (found > kMostReach) return take_in_turns(block, packed, count, k, best);
  std::uint64_t x[4];
  PENSTOCK_UNROLL
  for (int j = 0; j < 4; ++j) {
    const int i = j * kWarp + block.lane();
    x[j] = i < found ? packed(places[i]) : 0;
  }
  sort_falling(block, x);
  PENSTOCK_UNROLL
  for (int j = 0; j < kBestShares; ++j) {
    const int i = j * kWarp + block.lane();
    if (i < k) best[i] = x[j];
  }
}

}  // namespace penstock::gemma::cuda

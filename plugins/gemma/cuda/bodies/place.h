// What becomes of queries, keys and values: norm, rotation, and their place in
// the cache. Behind qkv where that is one kernel, else the kernel `place`.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

/// Where a token's key or value begins in the pool. The token's page must be in
/// the table.
PENSTOCK_GPU std::int64_t cache_place(int page, int kind, int kv_heads,
                                      int kv_head, int token, int head_dim) {
  const std::int64_t matrix =
      (std::int64_t{page} * 2 + kind) * kv_heads + kv_head;
  return (matrix * kPageTokens + token) * head_dim;
}

/// Pairs of a head that a lane has: numbers i and half + i, where i is
/// lane, lane + 32, ...
inline constexpr int kLanePairs = kMostHeadDim / 2 / kWarp;
struct Pairs {
  float low[kLanePairs], high[kLanePairs];
};

template <BlockOfThreads Block, class Pointer>
PENSTOCK_GPU Pairs load_pairs(Block& block, Pointer raw, int half) {
  Pairs out;
  PENSTOCK_UNROLL
  for (int j = 0; j < kLanePairs; ++j) {
    const int i = j * kWarp + block.lane();
    out.low[j] = i < half ? static_cast<float>(raw[i]) : 0.0F;
    out.high[j] = i < half ? static_cast<float>(raw[half + i]) : 0.0F;
  }
  return out;
}

template <class T, BlockOfThreads Block, class Pointer>
PENSTOCK_GPU void store_pairs(Block& block, Pointer to, int half,
                              const Pairs& pairs) {
  PENSTOCK_UNROLL
  for (int j = 0; j < kLanePairs; ++j) {
    const int i = j * kWarp + block.lane();
    if (i >= half) continue;
    to[i] = from_float<T>(pairs.low[j]);
    to[half + i] = from_float<T>(pairs.high[j]);
  }
}

/// Norms a head and turns its pairs by the row's angles.
template <BlockOfThreads Block>
PENSTOCK_GPU void norm_and_turn(Block& block, const PlaceParams& p, int row,
                                const float* norm_weight, Pairs& pairs) {
  const int half = p.head_dim / 2;
  float sum = 0;
  PENSTOCK_UNROLL
  for (int j = 0; j < kLanePairs; ++j) {
    sum += pairs.low[j] * pairs.low[j] + pairs.high[j] * pairs.high[j];
  }
  const float mean = warp_sum(block, sum) / static_cast<float>(p.head_dim);
  const float factor = 1.0F / sqrtf(mean + p.epsilon);
  const auto weight = block.global(norm_weight, "norm");
  const auto rope =
      block.global(p.rope, "rope") + std::int64_t{row} * p.head_dim;
  PENSTOCK_UNROLL
  for (int j = 0; j < kLanePairs; ++j) {
    const int i = j * kWarp + block.lane();
    if (i >= half) continue;
    const float a = pairs.low[j] * factor * weight[i];
    const float b = pairs.high[j] * factor * weight[half + i];
    const float cosine = rope[2 * i];
    const float sine = rope[2 * i + 1];
    pairs.low[j] = a * cosine - b * sine;
    pairs.high[j] = b * cosine + a * sine;
  }
}

/// One head (queries', keys' or values') of one row, by a warp.
template <class T, BlockOfThreads Block>
PENSTOCK_GPU void place_head(Block& block, const PlaceParams& p, int row,
                             int head) {
  const int position = block.global(p.positions, "positions")[row];
  if (position < 0) return;
  const int half = p.head_dim / 2;
  const bool is_v = head >= p.heads + p.kv_heads;
  const auto raw = block.global(p.raw, "raw") +
                   (std::int64_t{row} * p.all_heads() + head) * p.head_dim;
  Pairs pairs = load_pairs(block, raw, half);
  if (!is_v) {
    norm_and_turn(block, p, row, head < p.heads ? p.q_norm : p.k_norm, pairs);
  }
  if (head < p.heads) {
    const auto q = block.global(p.q, "q") +
                   (std::int64_t{row} * p.heads + head) * p.head_dim;
    store_pairs<float>(block, q, half, pairs);
    return;
  }
  const int slot = block.global(p.slots, "slots")[row];
  const auto table = block.global(p.cache.table, "table") +
                     std::int64_t{slot} * p.cache.table_stride;
  const std::int64_t place = cache_place(
      table[position / kPageTokens], is_v ? 1 : 0, p.kv_heads,
      (head - p.heads) % p.kv_heads, position % kPageTokens, p.head_dim);
  store_pairs<T>(block,
                 block.global(static_cast<T*>(p.cache.pool), "pool") + place,
                 half, pairs);
}

/// The kernel: a block has four heads of a row.
template <class T, BlockOfThreads Block>
PENSTOCK_GPU void place(Block& block, const PlaceParams& p) {
  block.wait_previous();
  const int head = block.y() * block.warps() + block.warp();
  if (head < p.all_heads()) place_head<T>(block, p, block.x(), head);
}

}  // namespace penstock::gemma::cuda

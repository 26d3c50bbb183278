// The kernel `attention_tile`: attention of many rows, by tensor cores. A block
// has the rows of a tile (tokens of one sequence in a row, kHeads query heads
// each, 64 rows in all) and goes through the keys that some of them see, 32 at
// a time. A warp has 16 rows, whose scores and sums stay in its registers.
//
// While scores are made, values are copied, and keys while values are added.
#pragma once

#include "gemma/cuda/bodies/attention.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"
#include "lib/gpu/tiles.h"

namespace penstock::gemma::cuda {

/// Most sixteens of a head.
inline constexpr int kHeadTiles = kMostHeadDim / 16;

/// A block's rows: row r is token r / kHeads, head r % kHeads.
template <int kHeads>
struct QueryTile {
  int first, tokens;       ///< rows of the step
  int position;            ///< of the first
  int head, heads;         ///< first query head, and how many are there
  int key_begin, key_end;  ///< that some row sees

  /// Keys [from, to) that a row sees; none for rows beyond the last.
  PENSTOCK_GPU int seen_to(int row) const {
    const int token = row / kHeads;
    return token < tokens ? position + token + 1 : 0;
  }
  PENSTOCK_GPU int seen_from(int row, int window) const {
    const int to = seen_to(row);
    return window == 0 || to < window ? 0 : to - window;
  }
};

template <int kHeads, BlockOfThreads Block>
PENSTOCK_GPU QueryTile<kHeads> query_tile(Block& block,
                                          const AttentionTileParams& p) {
  const auto tiles = block.global(p.tiles, "tiles") + 2 * block.x();
  const HeadShare share = head_share<kHeads>(p.heads, p.kv_heads, block.y());
  QueryTile<kHeads> out;
  out.first = tiles[0];
  out.tokens = tiles[1];
  out.position = block.global(p.positions, "positions")[out.first];
  out.head = share.first;
  out.heads =
      least(kHeads, (share.kv_head + 1) * (p.heads / p.kv_heads) - share.first);
  out.key_end = out.position + out.tokens;
  out.key_begin = out.seen_from(0, p.window) / kKeyStep * kKeyStep;
  return out;
}

/// The tile's queries, rounded, `stride` apart; zeros where there is none.
template <int kHeads, BlockOfThreads Block, class Shared>
PENSTOCK_GPU void copy_queries(Block& block, const AttentionTileParams& p,
                               const QueryTile<kHeads>& tile, Shared to,
                               int stride) {
  const auto q = block.global(p.q, "q");
  const int chunks = stride / 8;
  for (int i = block.thread(); i < kQueryRows * chunks; i += block.threads()) {
    const int r = i / chunks;
    const int k = i % chunks * 8;
    const bool is_there =
        r / kHeads < tile.tokens && r % kHeads < tile.heads && k < p.head_dim;
    float numbers[8] = {};
    if (is_there) {
      const std::int64_t head =
          std::int64_t{tile.first + r / kHeads} * p.heads + tile.head +
          r % kHeads;
      load8(block, q + (head * p.head_dim + k), numbers);
    }
    store_numbers<Bf16>(block, to + (r * stride + k), numbers);
  }
}

/// Starts to copy keys (0) or values (1) [from, from + kKeyStep), which are in
/// one page; zeros beyond the last one and beyond head_dim.
template <BlockOfThreads Block, class Shared>
PENSTOCK_GPU void copy_keys(Block& block, const KeyRange<Block, Bf16>& keys,
                            int from, int kind, Shared to, int stride) {
  const int chunks = stride / 8;
  const auto start = keys.pool + cache_place(keys.table[from / kPageTokens],
                                             kind, keys.kv_heads, keys.kv_head,
                                             from % kPageTokens, keys.head_dim);
  for (int i = block.thread(); i < kKeyStep * chunks; i += block.threads()) {
    const int r = i / chunks;
    const int k = i % chunks * 8;
    const auto place = to + (r * stride + k);
    const int key = from + r;
    if (key >= keys.begin && key < keys.end && k < keys.head_dim) {
      block.copy_async(place, start + (r * keys.head_dim + k));
    } else {
      block.store(place, Wide<Bf16>{});
    }
  }
  block.commit_copies();
}

/// What a warp keeps of its 16 rows. A lane has two rows, g and g + 8.
struct RowSums {
  gpu::TileSum out[kHeadTiles];
  float largest[2], sum[2];
};

/// Scores of the warp's rows with the tile's keys, 16 by 32.
template <BlockOfThreads Block, class Shared>
PENSTOCK_GPU void score_keys(Block& block, Shared q, Shared keys, int tiles,
                             int stride, gpu::TileSum (&scores)[2]) {
  gpu::clear(scores[0]);
  gpu::clear(scores[1]);
  const auto mine = q + block.warp() * 16 * stride;
  for (int d = 0; d < tiles; ++d) {
    gpu::TileA a;
    gpu::load_tile(block, a, mine + d * 16, stride);
    PENSTOCK_UNROLL
    for (int n = 0; n < 2; ++n) {
      gpu::TileB b;
      gpu::load_tile(block, b, keys + (n * 16 * stride + d * 16), stride);
      block.mma(scores[n], a, b);
    }
  }
}

/// Over the four lanes that share a row.
template <BlockOfThreads Block>
PENSTOCK_GPU float row_max(Block& block, float x) {
  x = fmaxf(x, block.shuffle_xor(x, 1));
  return fmaxf(x, block.shuffle_xor(x, 2));
}
template <BlockOfThreads Block>
PENSTOCK_GPU float row_sum(Block& block, float x) {
  x += block.shuffle_xor(x, 1);
  return x + block.shuffle_xor(x, 2);
}

/// Number j of eight that a lane has of its row g (half 0) or g + 8 (half 1).
PENSTOCK_GPU constexpr int row_number(int half, int j) {
  return 2 * half + j % 2 + j % 4 / 2 * 4;
}

/// Hides scores of keys outside [first, end), and is the largest of the others.
template <BlockOfThreads Block>
PENSTOCK_GPU float hide_unseen(Block& block, int half, int from, int first,
                               int end, gpu::TileSum (&scores)[2]) {
  float most = kNothing;
  PENSTOCK_UNROLL
  for (int j = 0; j < 8; ++j) {
    const int i = row_number(half, j);
    float& score = scores[j / 4].at[i];
    const int key = from + j / 4 * 16 + gpu::sum_output(block.lane(), i);
    if (key < first || key >= end) score = kNothing;
    most = fmaxf(most, score);
  }
  return row_max(block, most);
}

/// Turns scores into exp(score - largest) and scales what is summed so far.
template <int kHeads, BlockOfThreads Block>
PENSTOCK_GPU void soften_rows(Block& block, const QueryTile<kHeads>& tile,
                              int window, int from, int tiles,
                              gpu::TileSum (&scores)[2], RowSums& sums) {
  float factors[2];
  PENSTOCK_UNROLL
  for (int half = 0; half < 2; ++half) {
    const int row = block.warp() * 16 + block.lane() / 4 + half * 8;
    const float most =
        hide_unseen(block, half, from, tile.seen_from(row, window),
                    tile.seen_to(row), scores);
    const float largest = fmaxf(sums.largest[half], most);
    // A row that has seen nothing yet keeps sums of zero.
    const float base = largest == kNothing ? 0.0F : largest;
    factors[half] = expf(sums.largest[half] - base);
    float sum = 0;
    PENSTOCK_UNROLL
    for (int j = 0; j < 8; ++j) {
      float& score = scores[j / 4].at[row_number(half, j)];
      score = expf(score - base);
      sum += score;
    }
    sums.sum[half] = sums.sum[half] * factors[half] + row_sum(block, sum);
    sums.largest[half] = largest;
  }
  PENSTOCK_UNROLL
  for (int d = 0; d < kHeadTiles; ++d) {
    if (d >= tiles) break;
    PENSTOCK_UNROLL
    for (int i = 0; i < 8; ++i) sums.out[d].at[i] *= factors[i % 4 / 2];
  }
}

template <BlockOfThreads Block, class Shared>
PENSTOCK_GPU void add_weighted(Block& block, const gpu::TileSum (&weights)[2],
                               Shared values, int tiles, int stride,
                               RowSums& sums) {
  const gpu::TileA a[2] = {gpu::as_rows(weights[0]), gpu::as_rows(weights[1])};
  PENSTOCK_UNROLL
  for (int d = 0; d < kHeadTiles; ++d) {
    if (d >= tiles) break;
    PENSTOCK_UNROLL
    for (int n = 0; n < 2; ++n) {
      gpu::TileB b;
      gpu::load_transposed(block, b, values + (n * 16 * stride + d * 16),
                           stride);
      block.mma(sums.out[d], a[n], b);
    }
  }
}

/// The warp's rows, divided by their sums, through shared memory (their own
/// queries', which nobody else reads) to `out`.
template <int kHeads, BlockOfThreads Block, class Shared>
PENSTOCK_GPU void store_rows(Block& block, const AttentionTileParams& p,
                             const QueryTile<kHeads>& tile, Shared own,
                             int tiles, int stride, const RowSums& sums) {
  const auto mine = own + block.warp() * 16 * stride;
  block.sync_warp();
  PENSTOCK_UNROLL
  for (int d = 0; d < kHeadTiles; ++d) {
    if (d >= tiles) break;
    PENSTOCK_UNROLL
    for (int i = 0; i < 8; ++i) {
      const float sum = sums.sum[i % 4 / 2];
      mine[gpu::sum_row(block.lane(), i) * stride + d * 16 +
           gpu::sum_output(block.lane(), i)] =
          from_float<Bf16>(sums.out[d].at[i] / sum);
    }
  }
  block.sync_warp();
  const auto out = block.global(static_cast<Bf16*>(p.out), "out");
  const int chunks = p.head_dim / 8;
  for (int i = block.lane(); i < 16 * chunks; i += kWarp) {
    const int row = block.warp() * 16 + i / chunks;
    const int k = i % chunks * 8;
    if (row / kHeads >= tile.tokens || row % kHeads >= tile.heads) continue;
    const std::int64_t head =
        std::int64_t{tile.first + row / kHeads} * p.heads + tile.head +
        row % kHeads;
    block.store(out + (head * p.head_dim + k),
                block.load(mine + (i / chunks * stride + k)));
  }
}

template <int kHeads, BlockOfThreads Block>
PENSTOCK_GPU KeyRange<Block, Bf16> tile_keys(Block& block,
                                             const AttentionTileParams& p,
                                             const QueryTile<kHeads>& tile) {
  const int slot = block.global(p.slots, "slots")[tile.first];
  return {block.global(static_cast<const Bf16*>(p.cache.pool), "pool"),
          block.global(p.cache.table, "table") +
              std::int64_t{slot} * p.cache.table_stride,
          tile.seen_from(0, p.window),
          tile.key_end,
          p.kv_heads,
          tile.head / (p.heads / p.kv_heads),
          p.head_dim};
}

template <int kHeads, BlockOfThreads Block>
PENSTOCK_GPU void attend_tile(Block& block, const AttentionTileParams& p) {
  const QueryTile<kHeads> tile = query_tile<kHeads>(block, p);
  if (tile.tokens == 0) return;
  const int tiles = (p.head_dim + 15) / 16;
  const int stride = head_stride(p.head_dim);
  const auto keys = tile_keys(block, p, tile);
  const auto q = block.template shared<Bf16>(kQueryRows * stride, "queries");
  const auto k = block.template shared<Bf16>(kKeyStep * stride, "keys");
  const auto v = block.template shared<Bf16>(kKeyStep * stride, "values");
  copy_keys(block, keys, tile.key_begin, 0, k, stride);
  copy_queries(block, p, tile, q, stride);
  RowSums sums;
  PENSTOCK_UNROLL
  for (auto& each : sums.out) gpu::clear(each);
  sums.largest[0] = sums.largest[1] = kNothing;
  sums.sum[0] = sums.sum[1] = 0;
  for (int from = tile.key_begin; from < tile.key_end; from += kKeyStep) {
    block.template wait_copies<0>();
    block.sync();  // keys are there, and the values before were added
    copy_keys(block, keys, from, 1, v, stride);
    gpu::TileSum scores[2];
    score_keys(block, q, k, tiles, stride, scores);
    soften_rows(block, tile, p.window, from, tiles, scores, sums);
    block.template wait_copies<0>();
    block.sync();  // values are there, and the keys were multiplied
    if (from + kKeyStep < tile.key_end) {
      copy_keys(block, keys, from + kKeyStep, 0, k, stride);
    }
    add_weighted(block, scores, v, tiles, stride, sums);
  }
  store_rows(block, p, tile, q, tiles, stride, sums);
}

template <BlockOfThreads Block>
PENSTOCK_GPU void attention_tile(Block& block, const AttentionTileParams& p) {
  block.wait_previous();
  const int group = p.heads / p.kv_heads;
  if (group == 1) {
    attend_tile<1>(block, p);
  } else if (group == 2) {
    attend_tile<2>(block, p);
  } else {
    attend_tile<kAttentionHeads>(block, p);
  }
}

}  // namespace penstock::gemma::cuda

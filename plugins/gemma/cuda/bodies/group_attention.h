// Attention of many rows by products of warpgroups: `attention_tile` of
// GroupKernels. A block has tokens of one sequence in a row, with 1, 2 or 4 of
// their query heads each: 64 such rows a warpgroup. It has one or two of those,
// and goes through the keys a page at a time.
//
// While values of one page are added up, the next page's scores become weights,
// and the page after that is copied.
#pragma once

#include <bit>

#include "gemma/cuda/bodies/attention_tile.h"
#include "lib/gpu/groups.h"

namespace penstock::gemma::cuda {

/// Warpgroups of a block, and lines of 64 numbers that a head has.
template <int kGroupCount, int kLineCount>
struct GroupWalkShape {
  static constexpr int kRows = kGroupCount * gpu::kGroupRows;
  static constexpr int kThreads = kGroupCount * gpu::kGroup;
  static constexpr int kDim = kLineCount * gpu::kLineColumns;
  static constexpr int kPage = kPageTokens * kDim;
  static_assert(kRows * kDim * 2 % gpu::kMatrixBytes == 0 &&
                    kPage * 2 % gpu::kMatrixBytes == 0,
                "queries and each page's keys and values are matrices");
};

/// A block's rows: row r is token r >> bits, and of its heads the one that the
/// other bits say.
struct GroupTile {
  int first, tokens;  ///< rows of the step
  int position;       ///< of the first
  int head, heads;    ///< first query head, and how many are there
  int kv_head, bits;

  [[nodiscard]] PENSTOCK_GPU int head_of(int row) const {
    return row & ((1 << bits) - 1);
  }
  [[nodiscard]] PENSTOCK_GPU bool has(int row) const {
    return row >> bits < tokens && head_of(row) < heads;
  }
  /// Where the row is among all of the step, [rows, heads].
  [[nodiscard]] PENSTOCK_GPU std::int64_t place(int row, int all_heads) const {
    return std::int64_t{first + (row >> bits)} * all_heads + head +
           head_of(row);
  }
  /// Keys [from, to) that a row sees; none for rows beyond the last.
  [[nodiscard]] PENSTOCK_GPU int seen_to(int row) const {
    const int token = row >> bits;
    return token < tokens ? position + token + 1 : 0;
  }
  [[nodiscard]] PENSTOCK_GPU int seen_from(int row, int window) const {
    const int to = seen_to(row);
    return window == 0 || to < window ? 0 : to - window;
  }
};

template <BlockOfThreads Block>
PENSTOCK_GPU GroupTile group_tile(Block& block, const AttentionTileParams& p) {
  const auto tiles = block.global(p.tiles, "tiles") + 2 * block.x();
  const int sharing = p.heads / p.kv_heads;  // query heads of a kv head
  const int each = attention_heads(sharing);
  const int parts = (sharing + each - 1) / each;
  GroupTile out;
  out.first = tiles[0];
  out.tokens = tiles[1];
  out.position = block.global(p.positions, "positions")[out.first];
  out.kv_head = block.y() / parts;
  out.head = out.kv_head * sharing + block.y() % parts * each;
  out.heads = least(each, (out.kv_head + 1) * sharing - out.head);
  out.bits = std::countr_zero(static_cast<unsigned>(each));
  return out;
}

template <BlockOfThreads Block>
PENSTOCK_GPU KeyRange<Block, Bf16> group_keys(Block& block,
                                              const AttentionTileParams& p,
                                              const GroupTile& tile) {
  const int slot = block.global(p.slots, "slots")[tile.first];
  return {block.global(static_cast<const Bf16*>(p.cache.pool), "pool"),
          block.global(p.cache.table, "table") +
              std::int64_t{slot} * p.cache.table_stride,
          tile.seen_from(0, p.window),
          tile.position + tile.tokens,
          p.kv_heads,
          tile.kv_head,
          p.head_dim};
}

/// Queries, and two pages' keys and values, as products want them.
template <class Shape, BlockOfThreads Block>
struct GroupSpace {
  typename Block::template Shared<Bf16> queries, keys, values;

  PENSTOCK_GPU explicit GroupSpace(Block& block)
      : queries(
            block.template shared<Bf16>(Shape::kRows * Shape::kDim, "queries")),
        keys(block.template shared<Bf16>(2 * Shape::kPage, "keys")),
        values(block.template shared<Bf16>(2 * Shape::kPage, "values")) {}

  [[nodiscard]] PENSTOCK_GPU auto keys_of(int page) const {
    return keys + page % 2 * Shape::kPage;
  }
  [[nodiscard]] PENSTOCK_GPU auto values_of(int page) const {
    return values + page % 2 * Shape::kPage;
  }
};

/// The tile's queries, rounded; zeros where there is none.
template <class Shape, BlockOfThreads Block, class Shared>
PENSTOCK_GPU void place_queries(Block& block, const AttentionTileParams& p,
                                const GroupTile& tile, Shared to) {
  constexpr int kChunks = Shape::kDim / 8;
  const auto q = block.global(p.q, "q");
  for (int i = block.thread(); i < Shape::kRows * kChunks;
       i += Shape::kThreads) {
    const int row = i / kChunks;
    const int k = i % kChunks * 8;
    float numbers[8] = {};
    if (tile.has(row) && k < p.head_dim) {
      load8(block, q + (tile.place(row, p.heads) * p.head_dim + k), numbers);
    }
    store_numbers<Bf16>(block, to + gpu::swizzled(row, k, Shape::kRows),
                        numbers);
  }
}

/// Starts to copy keys (0) or values (1) of the page of key `from`; zeros for
/// keys that no row sees and beyond head_dim.
template <class Shape, BlockOfThreads Block, class Shared>
PENSTOCK_GPU void copy_page(Block& block, const KeyRange<Block, Bf16>& keys,
                            int from, int kind, Shared to) {
  constexpr int kChunks = Shape::kDim / 8;
  constexpr int kRowsAPass = Shape::kThreads / kChunks;  // rows of all threads
  const int first = block.thread() / kChunks;
  const int k = block.thread() % kChunks * 8;
  const auto source =
      keys.pool +
      (cache_place(keys.table[from / kPageTokens], kind, keys.kv_heads,
                   keys.kv_head, first, keys.head_dim) +
       k);
  PENSTOCK_ROLLED  // registers are short
      for (int r = 0; r < kPageTokens; r += kRowsAPass) {
    const int key = from + first + r;
    const auto place = to + gpu::swizzled(first + r, k, kPageTokens);
    if (key >= keys.begin && key < keys.end && k < keys.head_dim) {
      block.copy_async(place, source + r * keys.head_dim);
    } else {
      block.store(place, Wide<Bf16>{});
    }
  }
}

/// What a lane keeps of its two rows, g and g + 8 of the warp's.
template <class Shape>
struct GroupRows {
  gpu::GroupSum<Shape::kDim> out;
  float largest[2] = {kNothing, kNothing};
  float sum[2] = {};  ///< of this lane's weights
};
using PageScores = gpu::GroupSum<kPageTokens>;

/// Asks for the scores of the rows with a page's keys.
template <class Shape, gpu::BlockOfGroups Block, class Shared>
PENSTOCK_GPU void ask_scores(Block& block, Shared queries, Shared keys,
                             PageScores& scores) {
  const int own = block.thread() / gpu::kGroup * gpu::kGroupRows;
  PENSTOCK_UNROLL
  for (int k = 0; k < Shape::kDim; k += 16) {
    block.template multiply<false>(
        scores, gpu::columns_of(block, queries, own, k, Shape::kRows),
        gpu::columns_of(block, keys, 0, k, kPageTokens), k > 0);
  }
  block.commit_products();
}

/// Asks for the sum of a page's values, each times its weight.
template <class Shape, gpu::BlockOfGroups Block, class Shared>
PENSTOCK_GPU void ask_values(Block& block,
                             const gpu::TileA (&weights)[kPageTokens / 16],
                             Shared values, bool is_first,
                             GroupRows<Shape>& rows) {
  PENSTOCK_UNROLL
  for (int k = 0; k < kPageTokens; k += 16) {
    block.template multiply<true>(rows.out, weights[k / 16],
                                  gpu::rows_of(block, values, k, kPageTokens),
                                  !is_first || k > 0);
  }
  block.commit_products();
}

/// Hides scores of keys outside [first, end) of a lane's row.
template <BlockOfThreads Block>
PENSTOCK_GPU void hide_keys(Block& block, int half, int from, int first,
                            int end, PageScores& scores) {
  PENSTOCK_UNROLL
  for (int j = 0; j < kPageTokens / 4; ++j) {
    const int i = row_number(half, j % 4);
    const int key = from + j / 4 * 16 + gpu::sum_output(block.lane(), i);
    if (key < first || key >= end) scores.at[j / 4].at[i] = kNothing;
  }
}

/// Turns scores into exp(score - largest); `factors`: what scales the sums so
/// far.
template <class Shape, BlockOfThreads Block>
PENSTOCK_GPU void soften_page(Block& block, const GroupTile& tile, int window,
                              int from, PageScores& scores,
                              GroupRows<Shape>& rows, float (&factors)[2]) {
  constexpr float kLog2E = 1.4426950408889634F;  // powers of two are quicker
  const bool sees_all = tile.tokens << tile.bits == Shape::kRows &&
                        from >= tile.seen_from(Shape::kRows - 1, window) &&
                        from + kPageTokens <= tile.seen_to(0);
  PENSTOCK_UNROLL
  for (int half = 0; half < 2; ++half) {
    const int row = block.warp() * 16 + block.lane() / 4 + half * 8;
    if (!sees_all) {
      hide_keys(block, half, from, tile.seen_from(row, window),
                tile.seen_to(row), scores);
    }
    float most = kNothing;
    PENSTOCK_UNROLL
    for (int j = 0; j < kPageTokens / 4; ++j) {
      most = fmaxf(most, scores.at[j / 4].at[row_number(half, j % 4)]);
    }
    const float largest = fmaxf(rows.largest[half], row_max(block, most));
    // A row that has seen nothing yet keeps sums of zero.
    const float base = largest == kNothing ? 0.0F : largest * kLog2E;
    factors[half] = exp2f(fmaf(rows.largest[half], kLog2E, -base));
    float sum = rows.sum[half] * factors[half];
    PENSTOCK_UNROLL
    for (int j = 0; j < kPageTokens / 4; ++j) {
      float& score = scores.at[j / 4].at[row_number(half, j % 4)];
      score = exp2f(fmaf(score, kLog2E, -base));
      sum += score;
    }
    rows.sum[half] = sum;
    rows.largest[half] = largest;
  }
}

template <class Shape>
PENSTOCK_GPU void scale_rows(const float (&factors)[2],
                             GroupRows<Shape>& rows) {
  PENSTOCK_UNROLL
  for (auto& tile : rows.out.at) {
    PENSTOCK_UNROLL
    for (int i = 0; i < 8; ++i) tile.at[i] *= factors[i % 4 / 2];
  }
}

/// The warp's rows, divided by their sums, through shared memory (their own
/// queries', which nobody else reads) to `out`.
template <class Shape, BlockOfThreads Block, class Shared>
PENSTOCK_GPU void store_group_rows(Block& block, const AttentionTileParams& p,
                                   const GroupTile& tile, Shared own,
                                   const GroupRows<Shape>& rows) {
  const int first = block.warp() * 16;
  const float sums[2] = {row_sum(block, rows.sum[0]),
                         row_sum(block, rows.sum[1])};
  PENSTOCK_UNROLL
  for (int j = 0; j < Shape::kDim / 16; ++j) {
    PENSTOCK_UNROLL
    for (int i = 0; i < 8; ++i) {
      const int row = first + gpu::sum_row(block.lane(), i);
      const int d = j * 16 + gpu::sum_output(block.lane(), i);
      own[gpu::swizzled(row, d, Shape::kRows)] =
          from_float<Bf16>(rows.out.at[j].at[i] / sums[i % 4 / 2]);
    }
  }
  block.sync_warp();
  const auto out = block.global(static_cast<Bf16*>(p.out), "out");
  const int chunks = p.head_dim / 8;
  for (int i = block.lane(); i < 16 * chunks; i += kWarp) {
    const int row = first + i / chunks;
    const int k = i % chunks * 8;
    if (!tile.has(row)) continue;
    block.store(out + (tile.place(row, p.heads) * p.head_dim + k),
                block.load(own + gpu::swizzled(row, k, Shape::kRows)));
  }
}

/// A block's walk over the pages [0, pages) of its keys, from key `first` on.
template <class Shape, gpu::BlockOfGroups Block>
struct GroupWalk {
  Block& block;
  const AttentionTileParams& p;
  const GroupTile tile;
  const KeyRange<Block, Bf16> keys;
  const GroupSpace<Shape, Block> space;
  const int first, pages;
  PageScores scores;
  gpu::TileA weights[kPageTokens / 16];
  GroupRows<Shape> rows;

  PENSTOCK_GPU GroupWalk(Block& of, const AttentionTileParams& params,
                         const GroupTile& queries)
      : block(of),
        p(params),
        tile(queries),
        keys(group_keys(of, params, queries)),
        space(of),
        first(keys.begin / kPageTokens * kPageTokens),
        pages((keys.end - first + kPageTokens - 1) / kPageTokens) {}

  [[nodiscard]] PENSTOCK_GPU int key(int page) const {
    return first + page * kPageTokens;
  }
  /// Waits for what start() before copied, in all threads.
  PENSTOCK_GPU void meet() {
    block.template wait_copies<0>();
    block.fence_async();
    block.sync();
  }
  /// Starts to copy the next page's keys and this one's values.
  PENSTOCK_GPU void start(int page) {
    if (page + 1 < pages) {
      copy_page<Shape>(block, keys, key(page + 1), 0, space.keys_of(page + 1));
    }
    if (page >= 0) {
      copy_page<Shape>(block, keys, key(page), 1, space.values_of(page));
    }
    block.commit_copies();
  }
  /// Behind what threads did with their numbers.
  PENSTOCK_GPU void order() {
    block.hold(scores);
    block.hold(rows.out);
    PENSTOCK_UNROLL
    for (gpu::TileA& each : weights) block.hold(each);
    block.order_sums();
  }
  PENSTOCK_GPU void ask_for_scores(int page) {
    ask_scores<Shape>(block, space.queries, space.keys_of(page), scores);
  }
  PENSTOCK_GPU void ask_for_values(int page) {
    ask_values<Shape>(block, weights, space.values_of(page), page == 0, rows);
  }
  PENSTOCK_GPU void soften(int page, float (&factors)[2]) {
    soften_page<Shape>(block, tile, p.window, key(page), scores, rows, factors);
  }
  PENSTOCK_GPU void keep_weights() {
    PENSTOCK_UNROLL
    for (int i = 0; i < kPageTokens / 16; ++i) {
      weights[i] = gpu::as_rows(scores.at[i]);
    }
  }

  PENSTOCK_GPU void run() {
    start(-1);
    place_queries<Shape>(block, p, tile, space.queries);
    meet();
    float factors[2];
    block.hold(scores);
    block.order_sums();
    ask_for_scores(0);
    start(0);
    block.template wait_products<0>();
    block.hold(scores);
    soften(0, factors);
    keep_weights();
    for (int page = 1; page < pages; ++page) {
      meet();  // the page's keys and the last one's values are there
      order();
      ask_for_scores(page);
      ask_for_values(page - 1);
      start(page);
      block.template wait_products<1>();
      block.hold(scores);
      soften(page, factors);
      block.template wait_products<0>();
      block.hold(rows.out);
      scale_rows(factors, rows);
      keep_weights();
    }
    meet();
    order();
    ask_for_values(pages - 1);
    block.template wait_products<0>();
    block.hold(rows.out);
    store_group_rows<Shape>(block, p, tile, space.queries, rows);
  }
};

template <int kLines, gpu::BlockOfGroups Block>
PENSTOCK_GPU void walk_groups(Block& block, const AttentionTileParams& p,
                              const GroupTile& tile) {
  if (p.groups == 1) {
    GroupWalk<GroupWalkShape<1, kLines>, Block>(block, p, tile).run();
  } else {
    GroupWalk<GroupWalkShape<2, kLines>, Block>(block, p, tile).run();
  }
}

template <gpu::BlockOfGroups Block>
PENSTOCK_GPU void group_attention(Block& block, const AttentionTileParams& p) {
  block.wait_previous();
  const GroupTile tile = group_tile(block, p);
  if (tile.tokens == 0) return;
  switch (head_lines(p.head_dim)) {
    case 1:
      return walk_groups<1>(block, p, tile);
    case 2:
      return walk_groups<2>(block, p, tile);
    default:
      return walk_groups<4>(block, p, tile);
  }
}

}  // namespace penstock::gemma::cuda

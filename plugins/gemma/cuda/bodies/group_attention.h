// Attention of many rows by products of warpgroups: `attention_tile` of
// GroupKernels. A block has tokens of one sequence in a row, with 1, 2 or 4 of
// their query heads each: 64 such rows a warpgroup. It has one or two of those,
// and goes through the keys a page at a time.
//
// While values of one page are added up, the next page's scores become weights,
// and the page after that is copied.
#pragma once

#include "gemma/cuda/bodies/group_softmax.h"

namespace penstock::gemma::cuda {

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

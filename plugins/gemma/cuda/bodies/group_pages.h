// Of attention by warpgroups (group_attention.h): which rows a block has, and
// how their queries, and pages of keys and values, get to where products want
// them.
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

}  // namespace penstock::gemma::cuda

// The kernel `attention`: a block has a row, some query heads of one kv head
// and, where rows are few, a share of the keys. The blocks of a row are merged
// by the last one that is done.
//
// A lane has eight numbers of a key or value, a warp whole ones; each key is
// read once for all of the block's query heads. Keys are taken kPageTokens at a
// time: scores into shared memory, their softmax so far, values.
#pragma once

#include <type_traits>

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/bodies/place.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

inline constexpr float kNothing = -INFINITY;

/// The keys [begin, end) of a block, and where they are.
template <BlockOfThreads Block, class T>
struct KeyRange {
  typename Block::template Global<const T> pool;
  typename Block::template Global<const std::int32_t> table;
  int begin, end, kv_heads, kv_head, head_dim;

  /// This lane's eight numbers of a key (0) or value (1).
  PENSTOCK_GPU auto at(Block& block, int key, int kind) const {
    return pool + (cache_place(table[key / kPageTokens], kind, kv_heads,
                               kv_head, key % kPageTokens, head_dim) +
                   block.lane() * 8);
  }
};

/// Query heads of the kv head that block y has: kHeads from the first.
struct HeadShare {
  int kv_head, first;
};
template <int kHeads>
PENSTOCK_GPU HeadShare head_share(int heads, int kv_heads, int y) {
  const int group = heads / kv_heads;
  const int parts = (group + kHeads - 1) / kHeads;
  const int kv_head = y / parts;
  return {kv_head, kv_head * group + y % parts * kHeads};
}

template <BlockOfThreads Block, class T>
PENSTOCK_GPU KeyRange<Block, T> key_range(Block& block,
                                          const AttentionParams& p, int row,
                                          int position, int kv_head) {
  const int first =
      p.window == 0 || position < p.window ? 0 : position - p.window + 1;
  // Shares are of whole sixteens, so that warps have as many keys each.
  const int count = position + 1 - first;
  const int share = (count + p.splits * 16 - 1) / (p.splits * 16) * 16;
  const int begin = least(first + block.z() * share, position + 1);
  const int slot = block.global(p.slots, "slots")[row];
  return {block.global(static_cast<const T*>(p.cache.pool), "pool"),
          block.global(p.cache.table, "table") +
              std::int64_t{slot} * p.cache.table_stride,
          begin,
          least(begin + share, position + 1),
          p.kv_heads,
          kv_head,
          p.head_dim};
}

/// Most query heads of a block, and keys and values whose numbers a warp has at
/// once, by what registers there are. They change no bit of the answer.
template <int kHeadCount, int kKeyCount, int kValueCount>
struct AtOnce {
  static constexpr int kHeads = kHeadCount;
  static constexpr int kKeys = kKeyCount, kValues = kValueCount;
};
template <class T>
using UsualAtOnce =
    std::conditional_t<sizeof(T) == 4, AtOnce<kAttentionHeads, 2, 1>,
                       AtOnce<kAttentionHeads, 4, 4>>;

/// Scores of the keys [tile, tile + kKeyTile) of the range, for kHeads heads.
template <int kHeads, int kKeys, class T, BlockOfThreads Block, class Scores>
PENSTOCK_GPU void score_tile(Block& block, const KeyRange<Block, T>& keys,
                             int tile, const float (&q)[kHeads][8],
                             Scores scores) {
  const bool has_numbers = block.lane() * 8 < keys.head_dim;
  const int end = least(tile + kKeyTile, keys.end);
  for (int key = tile + block.warp() * kKeys; key < end;
       key += kAttentionWarps * kKeys) {
    float sums[kKeys * kHeads] = {};
    if (has_numbers) {
      PENSTOCK_UNROLL
      for (int i = 0; i < kKeys; ++i) {
        // Beyond the end the last is taken again, and its score not kept.
        const int mine = least(key + i, end - 1);
        float numbers[8];
        load8(block, keys.at(block, mine, 0), numbers);
        if (block.lane() % 8 == 0) block.prefetch(keys.at(block, mine, 1));
        PENSTOCK_UNROLL
        for (int h = 0; h < kHeads; ++h) {
          PENSTOCK_UNROLL
          for (int j = 0; j < 8; ++j) {
            sums[i * kHeads + h] += numbers[j] * q[h][j];
          }
        }
      }
    }
    warp_sums<kKeys * kHeads>(block, sums);
    const int index = sum_index<kKeys * kHeads>(block.lane());
    const int mine = key + index / kHeads;
    if (is_first_with_sum<kKeys * kHeads>(block.lane()) && mine < end) {
      scores[index % kHeads * kKeyTile + (mine - tile)] = sums[0];
    }
  }
}

/// Turns a head's scores, by a warp, into exp(score - largest); states: largest
/// and sum so far, and what older sums are to be multiplied by.
template <BlockOfThreads Block, class Scores>
PENSTOCK_GPU void soften(Block& block, Scores scores, int count, Scores state) {
  float most = kNothing;
  for (int i = block.lane(); i < count; i += kWarp) {
    most = fmaxf(most, scores[i]);
  }
  const float before = state[0];
  const float largest = fmaxf(before, warp_max(block, most));
  float sum = 0;
  for (int i = block.lane(); i < count; i += kWarp) {
    const float weight = expf(scores[i] - largest);
    scores[i] = weight;
    sum += weight;
  }
  sum = warp_sum(block, sum);
  const float factor = expf(before - largest);
  block.sync_warp();
  if (block.lane() == 0) {
    state[0] = largest;
    state[1] = state[1] * factor + sum;
    state[2] = factor;
  }
}

/// Adds the tile's values by their weights to this warp's part of the answer.
template <int kHeads, int kValues, class T, BlockOfThreads Block, class Scores>
PENSTOCK_GPU void add_values(Block& block, const KeyRange<Block, T>& keys,
                             int tile, Scores scores, Scores states,
                             float (&out)[kHeads][8]) {
  PENSTOCK_UNROLL
  for (int h = 0; h < kHeads; ++h) {
    const float factor = states[h * 4 + 2];
    PENSTOCK_UNROLL
    for (float& number : out[h]) number *= factor;
  }
  if (block.lane() * 8 >= keys.head_dim) return;
  const int count = least(kKeyTile, keys.end - tile);
#ifdef __CUDACC__
#pragma unroll kValues
#endif
  for (int i = block.warp(); i < count; i += kAttentionWarps) {
    float numbers[8];
    load8(block, keys.at(block, tile + i, 1), numbers);
    PENSTOCK_UNROLL
    for (int h = 0; h < kHeads; ++h) {
      const float weight = scores[h * kKeyTile + i];
      PENSTOCK_UNROLL
      for (int j = 0; j < 8; ++j) out[h][j] += weight * numbers[j];
    }
  }
}

/// Where a split's part of a row's kv head (or part of its heads) begins in
/// `partial`: numbers [kHeads, head_dim], then (largest, sum) by head.
template <int kHeads, BlockOfThreads Block>
PENSTOCK_GPU std::int64_t partial_place(Block& block, const AttentionParams& p,
                                        int shares, int split) {
  const std::int64_t part =
      (std::int64_t{block.x()} * shares + block.y()) * p.splits + split;
  return part * kHeads * (p.head_dim + 2);
}

/// What each number of the block's answer is, without and with splits: sums
/// over warps of `parts` [warps, kHeads, head_dim].
template <BlockOfThreads Block, class Parts>
PENSTOCK_GPU float over_warps(Parts parts, int at, int numbers) {
  float sum = 0;
  PENSTOCK_UNROLL
  for (int w = 0; w < kAttentionWarps; ++w) sum += parts[w * numbers + at];
  return sum;
}

/// The last block of a row's splits: the answer is their sum, each by
/// exp(its largest - the largest).
template <int kHeads, class T, BlockOfThreads Block, class Out>
PENSTOCK_GPU void merge_splits(Block& block, const AttentionParams& p,
                               int shares, int heads, Out out) {
  const auto all = block.global(p.partial, "partial");
  const int numbers = kHeads * p.head_dim;
  for (int i = block.thread(); i < heads * p.head_dim; i += block.threads()) {
    const int state = numbers + i / p.head_dim * 2;
    float largest = kNothing;
    for (int s = 0; s < p.splits; ++s) {
      const auto part = all + partial_place<kHeads>(block, p, shares, s);
      largest = fmaxf(largest, part[state]);
    }
    float sum = 0;
    float total = 0;
    for (int s = 0; s < p.splits; ++s) {
      const auto part = all + partial_place<kHeads>(block, p, shares, s);
      const float most = part[state];
      if (most == kNothing) continue;  // its numbers were not written
      const float factor = expf(most - largest);
      sum += part[i] * factor;
      total += part[state + 1] * factor;
    }
    out[i] = from_float<T>(sum / total);
  }
}

/// Leaves this split's part where the last block finds it, and is true in that.
template <int kHeads, BlockOfThreads Block, class Parts, class States>
PENSTOCK_GPU bool is_last_split(Block& block, const AttentionParams& p,
                                int shares, bool has_keys, Parts parts,
                                States states) {
  const int numbers = kHeads * p.head_dim;
  const auto mine = block.global(p.partial, "partial") +
                    partial_place<kHeads>(block, p, shares, block.z());
  for (int i = block.thread(); has_keys && i < numbers; i += block.threads()) {
    mine[i] = over_warps<Block>(parts, i, numbers);
  }
  if (block.thread() < 2 * kHeads) {
    mine[numbers + block.thread()] =
        states[block.thread() / 2 * 4 + block.thread() % 2];
  }
  const auto is_last = block.template shared<std::uint32_t>(1, "is_last");
  block.sync();
  if (block.thread() == 0) {
    const auto last = static_cast<std::uint32_t>(p.splits - 1);
    block.fence();
    const auto ticket =
        block.global(p.tickets, "tickets") + (block.x() * shares + block.y());
    is_last[0] =
        static_cast<std::uint32_t>(block.atomic_wrap(ticket, last) == last);
    block.fence();
  }
  block.sync();
  return is_last[0] != 0;
}

/// This lane's eight numbers of each query; heads beyond the last as the last.
template <int kHeads, BlockOfThreads Block>
PENSTOCK_GPU void load_queries(Block& block, const AttentionParams& p, int row,
                               int first, int heads, float (&q)[kHeads][8]) {
  const auto all = block.global(p.q, "q");
  const std::int64_t head = std::int64_t{row} * p.heads + first;
  PENSTOCK_UNROLL
  for (int h = 0; h < kHeads; ++h) {
    load8(block,
          all + ((head + least(h, heads - 1)) * p.head_dim + block.lane() * 8),
          q[h]);
  }
}

/// The block's answer by warps, in shared memory [warps, kHeads, head_dim]:
/// sums of values by weights. `states`: see soften().
template <int kHeads, class T, class Once, BlockOfThreads Block, class States>
PENSTOCK_GPU auto attend_keys(Block& block, const AttentionParams& p, int row,
                              const KeyRange<Block, T>& keys, int first,
                              int heads, States states) {
  const auto scores = block.template shared<float>(kHeads * kKeyTile, "scores");
  const auto parts = block.template shared<float>(
      kAttentionWarps * kHeads * p.head_dim, "parts");
  const bool has_numbers = block.lane() * 8 < p.head_dim;
  float q[kHeads][8] = {};
  float sums[kHeads][8] = {};
  if (has_numbers) load_queries<kHeads>(block, p, row, first, heads, q);
  if (block.thread() < kHeads) {
    states[block.thread() * 4] = kNothing;
    states[block.thread() * 4 + 1] = 0.0F;
  }
  for (int tile = keys.begin; tile < keys.end; tile += kKeyTile) {
    block.sync();
    score_tile<kHeads, Once::kKeys, T>(block, keys, tile, q, scores);
    block.sync();
    const int count = least(kKeyTile, keys.end - tile);
    for (int h = block.warp(); h < kHeads; h += kAttentionWarps) {
      soften(block, scores + h * kKeyTile, count, states + h * 4);
    }
    block.sync();
    add_values<kHeads, Once::kValues, T>(block, keys, tile, scores, states,
                                         sums);
  }
  PENSTOCK_UNROLL
  for (int h = 0; h < kHeads; ++h) {
    if (!has_numbers) break;
    const int part = block.warp() * kHeads + h;
    store_numbers<float>(block, parts + (part * p.head_dim + block.lane() * 8),
                         sums[h]);
  }
  block.sync();
  return parts;
}

template <int kHeads, class T, class Once, BlockOfThreads Block>
PENSTOCK_GPU void attend(Block& block, const AttentionParams& p) {
  const auto pick = block.global(p.pick, "pick");
  const int row = pick == nullptr ? block.x() : pick[block.x()];
  const HeadShare share = head_share<kHeads>(p.heads, p.kv_heads, block.y());
  const int group_end = (share.kv_head + 1) * (p.heads / p.kv_heads);
  const int heads = least(kHeads, group_end - share.first);
  const int numbers = heads * p.head_dim;
  const int shares = attention_shares(p.heads, p.kv_heads, Once::kHeads);
  const auto out =
      block.global(static_cast<T*>(p.out), "out") +
      (std::int64_t{block.x()} * p.heads + share.first) * p.head_dim;
  const auto positions = block.global(p.positions, "positions");
  const int position = row < 0 ? -1 : positions[row];
  if (position < 0) {
    if (block.z() > 0) return;
    for (int i = block.thread(); i < numbers; i += block.threads()) {
      out[i] = from_float<T>(0);
    }
    return;
  }
  const auto keys = key_range<Block, T>(block, p, row, position, share.kv_head);
  const auto states = block.template shared<float>(kHeads * 4, "states");
  const auto parts = attend_keys<kHeads, T, Once>(block, p, row, keys,
                                                  share.first, heads, states);
  if (p.splits > 1) {
    if (is_last_split<kHeads>(block, p, shares, keys.begin < keys.end, parts,
                              states)) {
      merge_splits<kHeads, T>(block, p, shares, heads, out);
    }
    return;
  }
  for (int i = block.thread(); i < numbers; i += block.threads()) {
    const float sum = over_warps<Block>(parts, i, kHeads * p.head_dim);
    out[i] = from_float<T>(sum / states[i / p.head_dim * 4 + 1]);
  }
}

template <class T, BlockOfThreads Block, class Once = UsualAtOnce<T>>
PENSTOCK_GPU void attention(Block& block, const AttentionParams& p) {
  block.wait_previous();
  const int group = p.heads / p.kv_heads;
  if (group == 1) {
    attend<1, T, Once>(block, p);
  } else if (group == 2) {
    attend<2, T, Once>(block, p);
  } else {
    attend<Once::kHeads, T, Once>(block, p);
  }
}

}  // namespace penstock::gemma::cuda

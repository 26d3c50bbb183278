// What a block of head or scan does with the scores of its tokens: masks,
// wanted scores, all scores, their sum, the best k; and `select`, which merges
// what the blocks found.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/bodies/best.h"
#include "gemma/cuda/bodies/score.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

/// The largest of a warp's scores and the sum of exp(score - largest).
template <BlockOfThreads Block, class Scores, class Sums>
PENSTOCK_GPU void sum_scores(Block& block, Scores scores, int count,
                             Sums sums) {
  float most = -INFINITY;
  for (int i = block.lane(); i < count; i += kWarp) {
    most = fmaxf(most, scores[i]);
  }
  most = warp_max(block, most);
  float sum = 0;
  for (int i = block.lane(); i < count; i += kWarp) {
    const float score = scores[i];
    sum += score == -INFINITY ? 0.0F : expf(score - most);
  }
  sum = warp_sum(block, sum);
  if (block.lane() == 0) {
    sums[0] = most;
    sums[1] = sum;
  }
}

/// Sets to -inf what may not come of a row's scores of tokens [first,
/// first + count), by a warp.
template <BlockOfThreads Block, class Scores>
PENSTOCK_GPU void mask_scores(Block& block, const Choice& c, int row,
                              Scores scores, int first, int count) {
  const auto mask_rows = block.global(c.mask_rows, "mask_rows");
  const int mask_row = mask_rows == nullptr ? -1 : mask_rows[row];
  if (mask_row < 0) return;
  const auto mask = block.global(c.masks, "masks") +
                    std::int64_t{mask_row} * ((c.vocab + kWarp - 1) / kWarp);
  for (int i = 0; i < count; i += kWarp) {
    const std::uint32_t bits = mask[(first + i) / kWarp];
    const int mine = i + block.lane();
    if (mine < count && (bits >> block.lane() & 1U) == 0) {
      scores[mine] = -INFINITY;
    }
  }
}

template <BlockOfThreads Block>
PENSTOCK_GPU bool is_empty_row(Block& block, const Choice& c, int row) {
  const auto scored = block.global(c.scored, "scored");
  return scored != nullptr && scored[row] < 0;
}

/// Of an empty row no token, by a warp. Its scores are all alike, so that to
/// find the best of them would take turns, here and in select.
template <BlockOfThreads Block>
PENSTOCK_GPU void choose_none(Block& block, const Choice& c, int row) {
  const std::int64_t part = std::int64_t{row} * c.blocks + block.x();
  const auto best = block.global(c.best, "best") + part * c.k;
  for (int i = block.lane(); i < c.k; i += kWarp) best[i] = 0;
  const auto sums = block.global(c.sums, "sums");
  if (sums == nullptr || block.lane() > 0) return;
  sums[part * 2] = -INFINITY;
  sums[part * 2 + 1] = 0;
}

/// One row's scores of tokens [first, first + count), by a warp, which alone
/// has touched them since the last barrier. `places`: kMostReach of the warp's.
template <BlockOfThreads Block, class Scores, class Places>
PENSTOCK_GPU void choose(Block& block, const Choice& c, int row, Scores scores,
                         int first, int count, Places places) {
  if (is_empty_row(block, c, row)) return choose_none(block, c, row);
  mask_scores(block, c, row, scores, first, count);
  block.sync_warp();
  const auto wanted = block.global(c.wanted_ids, "wanted_ids");
  const auto wanted_scores = block.global(c.wanted_scores, "wanted_scores");
  for (int i = block.lane(); i < c.wanted; i += kWarp) {
    const int token = wanted[std::int64_t{row} * c.wanted + i];
    if (token >= first && token < first + count) {
      wanted_scores[std::int64_t{row} * c.wanted + i] = scores[token - first];
    }
  }
  const auto full = block.global(c.full, "full");
  for (int i = block.lane(); full != nullptr && i < count; i += kWarp) {
    full[std::int64_t{row} * c.vocab + first + i] = scores[i];
  }
  const std::int64_t part = std::int64_t{row} * c.blocks + block.x();
  const auto sums = block.global(c.sums, "sums");
  if (sums != nullptr) sum_scores(block, scores, count, sums + part * 2);
  if (c.k == 0) return;
  const auto packed = [&](int i) {
    const float score = scores[i];
    // -inf is a token that may not come.
    return score == -INFINITY ? 0 : pack(score, first + i);
  };
  take_best(block, packed, count, c.k, places,
            block.global(c.best, "best") + part * c.k);
}

/// The kernel `scan`: scores are there already; a block has a row.
template <BlockOfThreads Block>
PENSTOCK_GPU void scan(Block& block, const ScanParams& p) {
  block.wait_previous();
  const int tokens = block_tokens(p.choice.vocab, p.choice.blocks);
  const int row = block.y() * block.warps() + block.warp();
  const int first = least(block.x() * tokens, p.choice.vocab);
  const int count = least(tokens, p.choice.vocab - first);
  const auto shared =
      block.template shared<float>(block.warps() * tokens, "scores") +
      block.warp() * tokens;
  const auto places = block.template shared<std::uint16_t>(
                          block.warps() * kMostReach, "places") +
                      block.warp() * kMostReach;
  if (row >= p.rows) return;
  const auto scores = block.global(p.scores, "scores") +
                      (std::int64_t{row} * p.choice.vocab + first);
  for (int i = block.lane(); i < count; i += kWarp) shared[i] = scores[i];
  block.sync_warp();
  choose(block, p.choice, row, shared, first, count, places);
}

/// Of a thread of select, of which there are kThreads: its lists, which are
/// sorted, and how much of each was taken.
template <int kThreads, BlockOfThreads Block>
struct SortedLists {
  static constexpr int kLists = kMostBlocks / kThreads;

  typename Block::template Global<const std::uint64_t> all;
  int k;
  int taken[kLists] = {};
  std::uint64_t heads[kLists] = {};

  PENSTOCK_GPU SortedLists(Block& block, const SelectParams& p)
      : all(block.global(p.best, "best") +
            std::int64_t{block.x()} * p.blocks * p.k),
        k(p.k) {
    PENSTOCK_UNROLL
    for (int i = 0; i < kLists; ++i) {
      const int list = i * block.threads() + block.thread();
      if (list < p.blocks && k > 0) heads[i] = all[std::int64_t{list} * k];
    }
  }
  /// The best that was not taken.
  [[nodiscard]] PENSTOCK_GPU std::uint64_t best() const {
    std::uint64_t out = 0;
    PENSTOCK_UNROLL
    for (const std::uint64_t head : heads) out = head > out ? head : out;
    return out;
  }
  PENSTOCK_GPU void take(Block& block, int i) {
    const std::int64_t list = i * block.threads() + block.thread();
    heads[i] = ++taken[i] < k ? all[list * k + taken[i]] : 0;
  }
};

template <BlockOfThreads Block>
PENSTOCK_GPU void put_selected(Block& block, const SelectParams& p, int place,
                               std::uint64_t best) {
  const std::int64_t at = std::int64_t{block.x()} * p.k + place;
  block.global(p.ids, "ids")[at] = best == 0 ? -1 : packed_id(best);
  block.global(p.values, "values")[at] =
      best == 0 ? -INFINITY : packed_float(best);
}

/// Turn by turn the best of the block's threads; `parts` has a place for each
/// warp, twice, so that who is ahead spoils nothing.
template <int kThreads, BlockOfThreads Block, class Parts>
PENSTOCK_GPU void select_in_turns(Block& block, const SelectParams& p,
                                  SortedLists<kThreads, Block>& lists,
                                  Parts parts) {
  for (int turn = 0; turn < p.k; ++turn) {
    const std::uint64_t warp = warp_best(block, lists.best());
    const auto part = parts + turn % 2 * block.warps();
    if (block.lane() == 0) part[block.warp()] = warp;
    block.sync();
    std::uint64_t best = 0;
    for (int w = 0; w < block.warps(); ++w) {
      const std::uint64_t each = part[w];
      best = each > best ? each : best;
    }
    if (block.thread() == 0) put_selected(block, p, turn, best);
    PENSTOCK_UNROLL
    for (int i = 0; i < lists.kLists; ++i) {
      if (best != 0 && lists.heads[i] == best) lists.take(block, i);
    }
  }
}

/// The bound of best.h, of the threads' best, by the first warp.
template <int kThreads, BlockOfThreads Block>
PENSTOCK_GPU std::uint32_t select_bound(Block& block, std::uint64_t mine,
                                        int k) {
  constexpr int kEach = kThreads / (4 * kWarp);
  const auto orders =
      block.template shared<std::uint32_t>(kThreads + 1, "orders");
  orders[block.thread()] = packed_order(mine);
  block.sync();
  if (block.warp() == 0) {
    std::uint32_t groups[4] = {};
    PENSTOCK_UNROLL
    for (int i = 0; i < 4 * kEach; ++i) {
      const std::uint32_t each = orders[i * kWarp + block.lane()];
      groups[i % 4] = each > groups[i % 4] ? each : groups[i % 4];
    }
    const std::uint32_t bound = group_bound(block, groups, k);
    if (block.lane() == 0) orders[kThreads] = bound;
  }
  block.sync();
  return orders[kThreads];
}

/// All that reach the bound, sorted. Whether they were few enough; if not,
/// the lists are as they were, but for what was taken.
template <int kThreads, BlockOfThreads Block>
PENSTOCK_GPU bool select_sorted(Block& block, const SelectParams& p,
                                SortedLists<kThreads, Block> lists) {
  const auto reach = block.template shared<std::uint64_t>(kMostReach, "reach");
  const auto found = block.template shared<std::uint32_t>(1, "found");
  if (block.thread() == 0) found[0] = 0U;
  const std::uint32_t bound = select_bound<kThreads>(block, lists.best(), p.k);
  PENSTOCK_UNROLL
  for (int i = 0; i < lists.kLists; ++i) {
    while (packed_order(lists.heads[i]) >= bound) {
      const std::uint32_t at = block.atomic_wrap(found, ~0U);
      if (at < kMostReach) reach[at] = lists.heads[i];
      lists.take(block, i);
    }
  }
  block.sync();
  const auto count = static_cast<int>(static_cast<std::uint32_t>(found[0]));
  if (count > kMostReach) return false;
  if (block.warp() > 0) return true;
  std::uint64_t x[4];
  PENSTOCK_UNROLL
  for (int j = 0; j < 4; ++j) {
    const int i = j * kWarp + block.lane();
    x[j] = i < count ? static_cast<std::uint64_t>(reach[i]) : 0;
  }
  sort_falling(block, x);
  PENSTOCK_UNROLL
  for (int j = 0; j < kBestShares; ++j) {
    const int i = j * kWarp + block.lane();
    if (i < p.k) put_selected(block, p, i, x[j]);
  }
  return true;
}

/// log of the sum of exp(score), by one warp.
template <BlockOfThreads Block>
PENSTOCK_GPU void select_norm(Block& block, const SelectParams& p) {
  const auto sums =
      block.global(p.sums, "sums") + std::int64_t{block.x()} * p.blocks * 2;
  float most = -INFINITY;
  bool is_bad = false;
  for (int i = block.lane(); i < p.blocks; i += kWarp) {
    const float largest = sums[2 * i];
    most = fmaxf(most, largest);
    is_bad |= sums[2 * i + 1] != sums[2 * i + 1];
  }
  most = warp_max(block, most);
  float sum = 0;
  for (int i = block.lane(); i < p.blocks; i += kWarp) {
    const float largest = sums[2 * i];
    if (largest != -INFINITY) sum += sums[2 * i + 1] * expf(largest - most);
  }
  sum = warp_sum(block, sum);
  const bool is_nan = block.any(is_bad);
  if (block.lane() == 0) {
    block.global(p.norm, "norm")[block.x()] = is_nan ? NAN
                                              : most == -INFINITY
                                                  ? -INFINITY
                                                  : most + logf(sum);
  }
}

/// The kernel `select`: a block has a row.
template <BlockOfThreads Block, int kThreads = kSelectThreads>
PENSTOCK_GPU void select(Block& block, const SelectParams& p) {
  block.wait_previous();
  const auto parts =
      block.template shared<std::uint64_t>(2 * block.warps(), "parts");
  SortedLists<kThreads, Block> lists(block, p);
  if (p.k <= kMostTurns || !select_sorted(block, p, lists)) {
    select_in_turns(block, p, lists, parts);
  }
  if (p.norm != nullptr && block.warp() == 0) select_norm(block, p);
}

}  // namespace penstock::gemma::cuda

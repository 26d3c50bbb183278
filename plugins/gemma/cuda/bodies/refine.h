// The kernel `refine`: of what `screen` left over, the scores. A token's may be
// among the best k of a row where it may reach a floor that k others do reach:
// the k-th best of what 128 groups of tokens reach for certain. Those tokens'
// scores are summed as `head` sums them, so what is chosen is the same. Where
// all tokens may, all are: as long as `head` takes, and no list overflows.
#pragma once

#include "gemma/cuda/bodies/best.h"
#include "gemma/cuda/bodies/head.h"
#include "gemma/cuda/bodies/screen.h"

namespace penstock::gemma::cuda {

/// A floor that nothing reaches: of an empty row, whose scores are all 0.
inline constexpr std::uint32_t kNoToken = ~0U;

/// The order of the k-th best of the groups; 1 where there are not so many.
template <BlockOfThreads Block>
PENSTOCK_GPU std::uint32_t floor_of(Block& block, const ScreenedParams& p,
                                    int row) {
  const int count = p.head.choice.blocks * kLows;
  const auto lows = block.global(p.lows, "lows") + row * count;
  std::uint32_t groups[4] = {};
  for (int from = 0; from < count; from += 4 * kWarp) {
    PENSTOCK_UNROLL
    for (int j = 0; j < 4; ++j) {
      const int i = from + j * kWarp + block.lane();
      const float low = i < count ? lows[i] : -INFINITY;
      const std::uint32_t order = low == -INFINITY ? 0 : order_of(low);
      groups[j] = order > groups[j] ? order : groups[j];
    }
  }
  return group_bound(block, groups, p.head.choice.k);
}

/// Of a panel the tokens, as bits, whose single scores are wanted by any row.
template <BlockOfThreads Block>
PENSTOCK_GPU std::uint32_t wanted_bits(Block& block, const HeadParams& p,
                                       int panel) {
  const auto wanted = block.global(p.choice.wanted_ids, "wanted_ids");
  const int count = p.in.rows * p.choice.wanted;
  std::uint32_t bits = 0;
  for (int from = 0; from < count; from += kWarp) {
    const int i = from + block.lane();
    const int id = i < count ? wanted[i] : -1;
    const bool is_here = id >= 0 && id / kWarp == panel;
    if (!block.any(is_here)) continue;
    std::uint32_t mine = is_here ? 1U << (id % kWarp) : 0;
    PENSTOCK_UNROLL
    for (int mask = kWarp / 2; mask > 0; mask /= 2) {
      mine |= block.shuffle_xor(mine, mask);
    }
    bits |= mine;
  }
  return bits;
}

/// Lists which of the block's tokens any row needs the score of.
template <BlockOfThreads Block, class Floors, class Found, class List>
PENSTOCK_GPU void list_tokens(Block& block, const ScreenedParams& p,
                              Floors floors, Found found, List list) {
  const Choice& c = p.head.choice;
  const PanelShare share(block.x(), c);
  const auto reach = block.global(p.reach, "reach");
  for (int n = block.warp(); n < share.panels(); n += block.warps()) {
    const int i = n * kWarp + block.lane();
    const int token = share.token(i);
    bool is_needed = false;
    for (int r = 0; r < p.head.in.rows && token < c.vocab; ++r) {
      const float most = reach[std::int64_t{r} * c.vocab + token];
      const std::uint32_t floor = floors[r];
      is_needed |= most != -INFINITY && order_of(most) >= floor;
    }
    const std::uint32_t wanted = wanted_bits(block, p.head, share.panel(n));
    if (is_needed || (wanted >> block.lane() & 1U) != 0) {
      list[block.atomic_wrap(found, ~0U)] = static_cast<std::uint16_t>(i);
    }
  }
}

/// What `choose` does, of a row's listed tokens and their scores, by a warp.
template <BlockOfThreads Block, class Scores, class List, class Places>
PENSTOCK_GPU void choose_listed(Block& block, const ScreenedParams& p, int row,
                                Scores scores, List list, int count,
                                Places places) {
  const Choice& c = p.head.choice;
  const PanelShare share(block.x(), c);
  const auto reach =
      block.global(p.reach, "reach") + std::int64_t{row} * c.vocab;
  for (int i = block.lane(); i < count; i += kWarp) {
    if (reach[share.token(list[i])] == -INFINITY) scores[i] = -INFINITY;
  }
  block.sync_warp();
  const auto wanted = block.global(c.wanted_ids, "wanted_ids") + row * c.wanted;
  const auto wanted_scores =
      block.global(c.wanted_scores, "wanted_scores") + row * c.wanted;
  for (int i = block.lane(); i < c.wanted; i += kWarp) {
    const int id = wanted[i];
    for (int j = 0; j < count; ++j) {
      if (share.token(list[j]) == id) wanted_scores[i] = scores[j];
    }
  }
  const auto best = block.global(c.best, "best") +
                    (std::int64_t{row} * c.blocks + block.x()) * c.k;
  const auto packed = [&](int i) {
    const float score = scores[i];
    return score == -INFINITY ? 0 : pack(score, share.token(list[i]));
  };
  if (c.k > 0) take_best(block, packed, count, c.k, places, best);
}

template <class W, BlockOfThreads Block>
PENSTOCK_GPU void refine(Block& block, const ScreenedParams& p) {
  const Residual& in = p.head.in;
  const PanelShare share(block.x(), p.head.choice);
  const int tokens = block_tokens(p.head.choice.vocab, p.head.choice.blocks);
  block.wait_previous();
  const auto normed =
      block.template shared<Bf16>(kRowTile * in.hidden, "normed");
  const auto scores = block.template shared<float>(kRowTile * tokens, "scores");
  const auto places = block.template shared<std::uint16_t>(
                          block.warps() * kMostReach, "places") +
                      block.warp() * kMostReach;
  const auto list = block.template shared<std::uint16_t>(tokens, "list");
  const auto floors = block.template shared<std::uint32_t>(kRowTile, "floors");
  const auto found = block.template shared<std::uint32_t>(1, "found");
  if (block.thread() == 0) found[0] = 0U;
  norm_tile<Bf16>(block, in, 0, in.rows, /*keeps=*/false, normed);
  for (int r = block.warp(); r < in.rows; r += block.warps()) {
    const bool is_empty = is_empty_row(block, p.head.choice, r);
    const std::uint32_t floor = is_empty ? kNoToken : floor_of(block, p, r);
    if (block.lane() == 0) floors[r] = floor;
  }
  block.sync();
  list_tokens(block, p, floors, found, list);
  block.sync();
  const auto count = static_cast<int>(static_cast<std::uint32_t>(found[0]));
  score_rows<W>(block, p.head, normed, in.rows, count, scores, tokens,
                [&](int i) { return share.token(list[i]); });
  block.sync();
  for (int r = block.warp(); r < in.rows; r += block.warps()) {
    if (is_empty_row(block, p.head.choice, r)) {
      choose_none(block, p.head.choice, r);
    } else {
      choose_listed(block, p, r, scores + r * tokens, list, count, places);
    }
  }
}

}  // namespace penstock::gemma::cuda

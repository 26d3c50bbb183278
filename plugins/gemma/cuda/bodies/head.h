// The kernel `head`: scores of few rows, a share of the vocabulary a block, and
// what is wanted of them while they are in shared memory.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/bodies/choose.h"
#include "gemma/cuda/bodies/norm.h"
#include "gemma/cuda/bodies/weights.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

/// Scores of `count` tokens, of which number i is token(i), into [rows,
/// stride]; a warp has two tokens at a time.
template <int kRows, class W, BlockOfThreads Block, class Scores, class Rows,
          class Token>
PENSTOCK_GPU void score_tokens(Block& block, const HeadParams& p, Rows normed,
                               int rows, int count, Scores scores, int stride,
                               Token token_at) {
  const int hidden = p.in.hidden;
  const auto weight = [&](int i) {
    return WeightRow<W, Block>(block, p.weight, token_at(least(i, count - 1)),
                               hidden);
  };
  const int step = block.warps() * 2;
  for (int i = block.warp() * 2; i < count; i += step) {
    // Two rows of codes are too few bytes under way.
    if constexpr (is_coded<W>) {
      prefetch_two(block, weight(i + step), weight(i + step + 1), 0, hidden);
    }
    // Of an odd count the last is taken twice.
    float sums[2 * kRows] = {};
    dot_two<kRows>(block, weight(i), weight(i + 1), normed, rows, hidden, 0,
                   hidden, sums);
    warp_sums<2 * kRows>(block, sums);
    const int index = sum_index<2 * kRows>(block.lane());
    const int row = index % kRows;
    const int token = i + index / kRows;
    if (is_first_with_sum<2 * kRows>(block.lane()) && row < rows &&
        token < count) {
      scores[row * stride + token] = sums[0];
    }
  }
}

/// The same of all rows of a tile. Codes are read for four rows at a time, as
/// eight need more registers than two blocks a processor leave.
template <class W, BlockOfThreads Block, class Scores, class Rows, class Token>
PENSTOCK_GPU void score_rows(Block& block, const HeadParams& p, Rows normed,
                             int rows, int count, Scores scores, int stride,
                             Token token_at) {
  if constexpr (is_coded<W>) {
    if (rows > 4) {
      const int hidden = p.in.hidden;
      score_tokens<4, W>(block, p, normed, 4, count, scores, stride, token_at);
      score_tokens<4, W>(block, p, normed + 4 * hidden, rows - 4, count,
                         scores + 4 * stride, stride, token_at);
      return;
    }
  }
  with_rows<is_coded<W> ? 4 : kRowTile>(rows, [&]<int kRows>() {
    score_tokens<kRows, W>(block, p, normed, rows, count, scores, stride,
                           token_at);
  });
}

template <class W, BlockOfThreads Block>
PENSTOCK_GPU void head(Block& block, const HeadParams& p) {
  using T = ActOf<W>;
  const int hidden = p.in.hidden;
  const int tokens = block_tokens(p.choice.vocab, p.choice.blocks);
  const int first = least(block.x() * tokens, p.choice.vocab);
  const int count = least(tokens, p.choice.vocab - first);
  const int first_row = block.y() * kRowTile;
  const int rows = least(kRowTile, p.in.rows - first_row);
  const int mine = least(first + block.warp() * 2, p.choice.vocab - 1);
  WeightRow<W, Block>(block, p.weight, mine, hidden).prefetch(block, 0, hidden);
  block.wait_previous();
  const auto normed = block.template shared<T>(kRowTile * hidden, "normed");
  const auto scores = block.template shared<float>(kRowTile * tokens, "scores");
  const auto places = block.template shared<std::uint16_t>(
                          block.warps() * kMostReach, "places") +
                      block.warp() * kMostReach;
  norm_tile<T>(block, p.in, first_row, rows, block.x() == 0, normed);
  score_rows<W>(block, p, normed, rows, count, scores, tokens,
                [first](int i) { return first + i; });
  block.sync();
  for (int r = block.warp(); r < rows; r += block.warps()) {
    choose(block, p.choice, first_row + r, scores + r * tokens, first, count,
           places);
  }
}

}  // namespace penstock::gemma::cuda

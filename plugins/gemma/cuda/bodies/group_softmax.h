// Of attention by warpgroups (group_attention.h): what a lane keeps of its
// rows, and how scores of a page become weights of its values.
#pragma once

#include "gemma/cuda/bodies/group_pages.h"

namespace penstock::gemma::cuda {

/// What a lane keeps of its two rows, g and g + 8 of the warp's.
template <class Shape>
struct GroupRows {
  gpu::GroupSum<Shape::kDim> out;
  float largest[2] = {kNothing, kNothing};
  float sum[2] = {};  ///< of this lane's weights
};
using PageScores = gpu::GroupSum<kPageTokens>;

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

}  // namespace penstock::gemma::cuda

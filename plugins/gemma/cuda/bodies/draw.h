// The kernel `draw`: of each row of a step the token that core.sample will
// choose, so that the next step can begin before it did. penstock/draw.h says
// the rule; sums go in the sampler's order, so that the same number of [0, 1)
// picks the same token.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

/// A thread's candidate; the id is -1 where it has none.
struct DrawCandidate {
  std::int32_t id = -1;
  float score = -INFINITY;
};

PENSTOCK_GPU float edited(float score, const DrawEdit& edit) {
  const float out = score + edit.bias;
  return (out < 0 ? out * edit.repetition : out / edit.repetition) - edit.minus;
}

/// The model's best, without those that are edited, then the edited ones.
template <BlockOfThreads Block>
PENSTOCK_GPU DrawCandidate candidate(Block& block, const DrawParams& p,
                                     const DrawRow& row) {
  const auto edits =
      block.global(p.edits, "edits") + std::int64_t{block.x()} * p.most_edits;
  const int i = block.thread();
  DrawCandidate out;
  if (i < row.best) {
    const std::int64_t at = std::int64_t{row.from} * p.k + i;
    out.id = block.global(p.ids, "ids")[at];
    out.score = block.global(p.values, "values")[at];
    for (int e = 0; e < row.edits; ++e) {
      const DrawEdit edit = edits[e];
      if (edit.id == out.id) out.id = -1;
    }
  } else if (i < row.best + row.edits) {
    const DrawEdit edit = edits[i - row.best];
    const std::int64_t at = std::int64_t{row.from} * p.single + edit.at;
    out.id = edit.id;
    out.score = edited(block.global(p.singles, "singles")[at], edit);
  }
  if (out.score != out.score) out.id = -1;  // the host will not go on with it
  if (row.divisor > 0) out.score /= row.divisor;
  return out;
}

/// What a block of draw works on, in shared memory.
template <BlockOfThreads Block>
struct DrawSpace {
  template <class T>
  using Shared = typename Block::template Shared<T>;
  Shared<double> weights, sums;  ///< by place, best first; of all up to it
  Shared<float> scores, sorted;  ///< by thread; by place
  Shared<std::int32_t> ids, sorted_ids;
  Shared<std::int32_t> counts;  ///< of warps

  PENSTOCK_GPU explicit DrawSpace(Block& block)
      : weights(block.template shared<double>(kDrawThreads, "weights")),
        sums(block.template shared<double>(kDrawThreads, "sums")),
        scores(block.template shared<float>(kDrawThreads, "scores")),
        sorted(block.template shared<float>(kDrawThreads, "sorted")),
        ids(block.template shared<std::int32_t>(kDrawThreads, "ids")),
        sorted_ids(
            block.template shared<std::int32_t>(kDrawThreads, "sorted_ids")),
        counts(block.template shared<std::int32_t>(kDrawThreads / kWarp,
                                                   "counts")) {}

  /// How many threads say so.
  PENSTOCK_GPU int count(Block& block, bool value) const {
    const int mine = gpu::count_bits(block.ballot(value));
    if (block.lane() == 0) counts[block.warp()] = mine;
    block.sync();
    int all = 0;
    for (int w = 0; w < block.warps(); ++w) all += counts[w];
    block.sync();
    return all;
  }
};

/// Sorts the threads' candidates, the better first; returns how many there are.
/// Each thread counts who is better than its own.
template <BlockOfThreads Block>
PENSTOCK_GPU int sort_candidates(Block& block, const DrawSpace<Block>& space,
                                 const DrawCandidate& mine, int most,
                                 bool is_low_first) {
  space.ids[block.thread()] = mine.id;
  space.scores[block.thread()] = mine.score;
  block.sync();
  int place = 0;
  int all = 0;
  for (int i = 0; i < most; ++i) {
    const std::int32_t id = space.ids[i];
    if (id < 0) continue;
    ++all;
    const float score = space.scores[i];
    const bool is_first = is_low_first ? id < mine.id : id > mine.id;
    if (score > mine.score || (score == mine.score && is_first)) ++place;
  }
  if (mine.id >= 0) {
    space.sorted_ids[place] = mine.id;
    space.sorted[place] = mine.score;
  }
  block.sync();
  return all;
}

/// The place of the token among `all` sorted candidates.
template <BlockOfThreads Block>
PENSTOCK_GPU int draw_place(Block& block, const DrawSpace<Block>& space,
                            const DrawRow& row, int all) {
  const int i = block.thread();
  const float score = i < all ? static_cast<float>(space.sorted[i]) : -INFINITY;
  int stay = all;
  if (row.top_k > 0 && row.top_k < all) {
    const float least_score = space.sorted[row.top_k - 1];
    stay = row.top_k + space.count(block, i >= row.top_k && i < all &&
                                              score == least_score);
  }
  const double best = static_cast<float>(space.sorted[0]);
  const double weight = i < stay ? exp(static_cast<double>(score) - best) : 0.0;
  space.weights[i] = weight;
  block.sync();
  double sum = 0;
  for (int j = 0; j < stay && j <= i; ++j) sum += space.weights[j];
  space.sums[i] = sum;
  block.sync();
  if (row.top_p < 1) {
    const double enough = row.top_p * space.sums[stay - 1];
    const int below = space.count(block, i < stay && sum < enough);
    stay = least(stay, below + 1);
  }
  if (row.min_p > 0) {
    const int above = space.count(block, i < stay && weight >= row.min_p);
    stay = above > 0 ? above : 1;
  }
  const double until = row.random * space.sums[stay - 1];
  const int before = space.count(block, i < stay && sum <= until);
  const int last = space.count(block, i < stay && weight > 0) - 1;
  return before < last ? before : last;
}

/// A block has a row.
template <BlockOfThreads Block>
PENSTOCK_GPU void draw(Block& block, const DrawParams& p) {
  block.wait_previous();
  const DrawSpace<Block> space(block);
  const DrawRow row = block.global(p.draws, "draws")[block.x()];
  std::int32_t token = 0;
  if (row.from >= 0) {
    const DrawCandidate mine = candidate(block, p, row);
    const int all = sort_candidates(block, space, mine, row.best + row.edits,
                                    /*is_low_first=*/row.divisor == 0);
    // The best of none that may come is no number to reckon with.
    const bool can_draw = all > 0 &&
                          static_cast<float>(space.sorted[0]) > -INFINITY &&
                          static_cast<float>(space.sorted[0]) < INFINITY;
    if (can_draw) {
      const int place =
          row.divisor == 0 ? 0 : draw_place(block, space, row, all);
      token = space.sorted_ids[place];
    }
  }
  if (block.thread() != 0) return;
  block.global(p.tokens, "tokens")[block.x()] = token;
  block.global(p.drawn, "drawn")[block.x()] = token;
  if (row.put >= 0) {
    const std::int64_t at = std::int64_t{block.x()} * p.wanted + row.put;
    block.global(p.wanted_ids, "wanted_ids")[at] = token;
  }
}

}  // namespace penstock::gemma::cuda

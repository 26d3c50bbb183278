// What CudaEngine keeps while it runs a step; for its own sources.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "gemma/cuda/engine.h"

namespace penstock::gemma::cuda {

/// Tokens that go through the layers together.
struct CudaEngine::Pass {
  struct Part {
    int slot = 0;
    std::int64_t begin = 0;  ///< in the sequence
    std::int64_t at = 0;     ///< among the step's tokens
    std::int64_t count = 0;
  };
  std::vector<Part> parts;
  std::int32_t rows = 0;
  std::vector<std::int32_t> scored;  ///< rows
  std::int64_t first_scored = 0;     ///< among the step's
  /// First row and rows by tile of attention_tile; none: rows go one by one.
  std::vector<std::array<std::int32_t, 2>> tiles;
  std::int32_t groups = 0;  ///< of AttentionTileParams; 0: not of GroupKernels

  /// Tokens [done, done + count) of a slice, which are the step's from `at` on.
  void add(const Slice& slice, std::int64_t done, std::int64_t at,
           std::int64_t count) {
    parts.push_back({.slot = slice.sequence->slot,
                     .begin = slice.begin + done,
                     .at = at,
                     .count = count});
    const std::int64_t unscored = slice.count - slice.outs - done;
    for (std::int64_t i = std::max<std::int64_t>(0, unscored); i < count; ++i) {
      scored.push_back(rows + static_cast<std::int32_t>(i));
    }
    rows += static_cast<std::int32_t>(count);
  }
  [[nodiscard]] std::int32_t scores() const {
    return static_cast<std::int32_t>(scored.size());
  }
  [[nodiscard]] std::int64_t longest() const {
    std::int64_t most = 0;
    for (const Part& part : parts) {
      most = std::max(most, part.begin + part.count);
    }
    return most;
  }
};

/// A step, and what became of it so far.
struct CudaEngine::Turn {
  const Step& step;
  const Tokens& tokens;
  std::vector<Position> positions = scored_positions(step);
  HeadWants wants{step, positions};
  Scores scores = {};
  /// By slice, whether it was answered by what ran ahead; empty: none was.
  /// Neither positions nor scores have it then, `ahead` does.
  std::vector<bool> is_done = {};
  Scores ahead = {};

  [[nodiscard]] bool has_done(std::size_t slice) const {
    return !is_done.empty() && is_done[slice];
  }
  [[nodiscard]] Scores all();

  [[nodiscard]] std::span<const Position> scored(const Pass& pass,
                                                 std::int32_t first,
                                                 std::int32_t count) const {
    return std::span(positions).subspan(
        static_cast<std::size_t>(pass.first_scored + first),
        static_cast<std::size_t>(count));
  }
};

}  // namespace penstock::gemma::cuda

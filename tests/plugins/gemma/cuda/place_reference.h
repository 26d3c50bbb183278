// What must become of queries, keys and values, and of gates: plain loops.
#pragma once

#include <vector>

#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {

struct PlaceOptions {
  int rows = 1, heads = 1, kv_heads = 1, head_dim = 16;
  std::vector<std::int32_t> x_rows;  ///< where -1, the row is empty
};
/// All but `raw`. Rows stand at positions around a page's end, in two slots.
PlaceParams make_place(Device& device, const PlaceOptions& options);
/// q and the cache hold what follows from raw; nothing else of the cache was
/// touched.
void expect_placed(const Device& device, const PlaceParams& p);

/// Number `i` of a key (0) or value (1) in the cache.
double cached(const Device& device, const Cache& cache, int kv_heads,
              int head_dim, int slot, int position, int kind, int kv_head,
              int i);

/// A row of numbers of the type.
std::vector<double> row_of(const Device& device, const void* from,
                           std::int64_t row, std::int64_t columns);
void expect_gated(const Device& device, const Near& gate, const Near& up,
                  double got);
/// Pair `i` of a row's cosines and sines.
void expect_turn(const EmbedParams& p, int row, int i);

}  // namespace penstock::gemma::cuda

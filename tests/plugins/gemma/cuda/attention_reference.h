// Queries and a cache for the kernels of attention, and plain attention.
#pragma once

#include <vector>

#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {

struct AttentionSetup {
  int heads = 4, kv_heads = 1, head_dim = 16, window = 0, splits = 1;
  std::vector<std::int32_t> positions = {};
  std::vector<std::int32_t> slots = {};  ///< of each position
  std::vector<std::int32_t> pick = {};   ///< empty: null
};

/// Of the cache only keys and values that a row sees were written, and only
/// their pages are in the table.
AttentionParams make_attention(Device& device, const AttentionSetup& setup);
/// `is_rounded`: so are queries and weights.
void expect_attention(const Device& device, const AttentionParams& p, int row,
                      bool is_rounded);

}  // namespace penstock::gemma::cuda

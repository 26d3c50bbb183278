// The kernel `embed`: a block makes a row.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/bodies/weights.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {

template <BlockOfThreads Block>
PENSTOCK_GPU void embed_rope(Block& block, const EmbedParams& p, int position) {
  const int half = p.head_dim / 2;
  const auto full = block.global(p.full_frequencies, "full_frequencies");
  const auto local = block.global(p.local_frequencies, "local_frequencies");
  const auto full_rope = block.global(p.full_rope, "full_rope");
  const auto local_rope = block.global(p.local_rope, "local_rope");
  // The work of a thread is one angle: reducing large ones is slow.
  for (int i = block.thread(); i < 2 * half; i += block.threads()) {
    const bool is_full = i < half;
    const int pair = is_full ? i : i - half;
    const float angle =
        static_cast<float>(position) * (is_full ? full[pair] : local[pair]);
    const auto rope = is_full ? full_rope : local_rope;
    const std::int64_t at = (std::int64_t{block.x()} * half + pair) * 2;
    rope[at] = cosf(angle);
    rope[at + 1] = sinf(angle);
  }
}

template <class W, BlockOfThreads Block>
PENSTOCK_GPU void embed(Block& block, const EmbedParams& p) {
  using Row = WeightRow<W, Block>;
  block.wait_previous();
  const int row = block.x();
  const int position = block.global(p.positions, "positions")[row];
  const int token = block.global(p.tokens, "tokens")[row];
  const Row embedding(block, p.embedding, position < 0 ? 0 : token, p.hidden);
  const auto x = block.global(p.x, "x") + std::int64_t{row} * p.hidden;
  for (int k = block.thread() * Row::kColumns; k < p.hidden;
       k += block.threads() * Row::kColumns) {
    const auto read = embedding.read(block, k);
    PENSTOCK_UNROLL
    for (int place = 0; place < Row::kColumns / Row::kChunk; ++place) {
      float numbers[Row::kChunk];
      read.unpack(place, numbers);
      PENSTOCK_UNROLL
      for (float& number : numbers) {
        number = position < 0 ? 0.0F : number * p.scale;
      }
      store_numbers<float>(block, x + Row::column(place, k), numbers);
    }
  }
  embed_rope(block, p, position < 0 ? 0 : position);
}

}  // namespace penstock::gemma::cuda

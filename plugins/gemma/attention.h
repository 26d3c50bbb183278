// Attention of one sequence's new tokens over its keys: causal, and in a
// sliding layer limited to the last `window` keys.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "gemma/config.h"

namespace penstock::gemma {

/// Keys [first, end) that the queries [begin, end) can see at all.
struct Span {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t first = 0;
};
/// The span of `count` queries from `begin` on; window: kAll for a full layer.
[[nodiscard]] Span span_of(std::int64_t begin, std::int64_t count,
                           std::int64_t window);

/// Mask to add to the scores [queries, keys]: 0 or minus infinity. Undefined
/// where none is needed: for one query, or plain causal attention.
[[nodiscard]] at::Tensor attention_mask(const Span& span, std::int64_t window,
                                        at::TensorOptions options);

/// Attention of queries [n, heads, head_dim] over keys and values [kv_heads, k,
/// head_dim]; gives [n, heads * head_dim].
[[nodiscard]] at::Tensor attend(const at::Tensor& queries,
                                const at::Tensor& keys,
                                const at::Tensor& values,
                                const at::Tensor& mask, const Config& config);

}  // namespace penstock::gemma

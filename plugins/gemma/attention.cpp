#include "gemma/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

namespace penstock::gemma {

Span span_of(std::int64_t begin, std::int64_t count, std::int64_t window) {
  const std::int64_t first =
      window == kAll ? 0 : std::max<std::int64_t>(0, begin - window + 1);
  return {.begin = begin, .end = begin + count, .first = first};
}

at::Tensor attention_mask(const Span& span, std::int64_t window,
                          at::TensorOptions options) {
  const std::int64_t count = span.end - span.begin;
  const bool is_plain = span.begin == 0 && (window == kAll || count <= window);
  if (count == 1 || is_plain) return {};
  const auto queries =
      at::arange(span.begin, span.end, options.dtype(at::kLong)).unsqueeze(1);
  const auto keys = at::arange(span.first, span.end, options.dtype(at::kLong));
  auto is_hidden = keys > queries;
  if (window != kAll) is_hidden = is_hidden | (keys <= queries - window);
  return at::zeros(is_hidden.sizes(), options)
      .masked_fill_(is_hidden, -std::numeric_limits<double>::infinity());
}

at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys,
                  const at::Tensor& values, const at::Tensor& mask,
                  const Config& c) {
  const std::int64_t count = queries.size(0);
  const std::int64_t group = c.heads / c.kv_heads;
  const std::optional<at::Tensor> add =
      mask.defined() ? std::optional(mask) : std::nullopt;
  if (count == 1) {
    // The heads of a group read the same keys: one pass serves them all.
    return at::scaled_dot_product_attention(
               queries.view({1, c.kv_heads, group, c.head_dim}),
               keys.unsqueeze(0), values.unsqueeze(0), std::nullopt, 0.0,
               /*is_causal=*/false, c.attention_scale)
        .reshape({1, c.heads * c.head_dim});
  }
  const auto each_head = [&](const at::Tensor& tensor) {
    const auto heads =
        tensor.unsqueeze(1)
            .expand({c.kv_heads, group, tensor.size(1), c.head_dim})
            .reshape({1, c.heads, tensor.size(1), c.head_dim});
    // Where heads share their bytes, libtorch 2.11's fused CUDA kernel gives
    // wrong sums for masked lengths of 64 n + 1.
    return tensor.is_cuda() ? heads.contiguous() : heads;
  };
  return at::scaled_dot_product_attention(
             queries.transpose(0, 1).unsqueeze(0), each_head(keys),
             each_head(values), add, 0.0, /*is_causal=*/!mask.defined(),
             c.attention_scale)
      .squeeze(0)
      .transpose(0, 1)
      .reshape({count, c.heads * c.head_dim});
}

}  // namespace penstock::gemma

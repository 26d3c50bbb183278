// The weights of a Gemma 3 text model as tensors, dequantised at load.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "gemma/checkpoint.h"

namespace penstock::gemma {

/// Matrices are [out_features, in_features] in the model's dtype; norms are
/// f32 and hold 1 + w.
struct LayerWeights {
  at::Tensor attention_norm;       ///< [hidden]
  at::Tensor qkv;                  ///< [(heads + 2 kv_heads) head_dim, hidden]
  at::Tensor q_norm, k_norm;       ///< [head_dim]
  at::Tensor attention_out;        ///< [hidden, heads head_dim]
  at::Tensor post_attention_norm;  ///< [hidden]
  at::Tensor ffn_norm;             ///< [hidden]
  at::Tensor gate_up;              ///< [2 ffn, hidden]
  at::Tensor down;                 ///< [hidden, ffn]
  at::Tensor post_ffn_norm;        ///< [hidden]
};

struct Weights {
  at::Tensor embedding;  ///< [vocab, hidden]
  at::Tensor output;     ///< [vocab, hidden]; the embedding itself where tied
  std::vector<LayerWeights> layers;
  at::Tensor norm;  ///< [hidden]
};

/// Bytes that load_weights() will take.
[[nodiscard]] std::int64_t weight_bytes(const Config& config,
                                        at::ScalarType dtype);

/// dtype: kFloat or kBFloat16. Throws Error(kData) naming the tensor that is
/// missing, of another shape, or holds numbers that are not finite.
[[nodiscard]] Weights load_weights(const Checkpoint& model,
                                   at::ScalarType dtype, at::Device device);

}  // namespace penstock::gemma

// Weights of the layers, packed for the kernels.
#pragma once

#include <vector>

#include "gemma/checkpoint.h"
#include "gemma/native/kv_pages.h"
#include "lib/kernels/packed.h"

namespace penstock::gemma::native {

using kernels::ComputeType;
using kernels::PackedMatrix;

struct Layer {
  std::vector<float> attention_norm, q_norm, k_norm, post_attention_norm,
      ffn_norm, post_ffn_norm;
  PackedMatrix q, k, v, out, gate, up, down;
};

/// Packs all layers; queries carry the scale of the scores. Pages of the file
/// are dropped as they are packed.
[[nodiscard]] std::vector<Layer> pack_layers(const Checkpoint& model,
                                             ComputeType mode, KvType kv_type);
/// Bytes of the layers' packed matrices.
[[nodiscard]] std::int64_t layer_bytes(const Checkpoint& model,
                                       ComputeType mode);
/// Whether the weights can be run in ComputeType::kInt8.
[[nodiscard]] bool is_quantised(const Checkpoint& model);

}  // namespace penstock::gemma::native

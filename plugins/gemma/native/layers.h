// The weights of the layers, packed for the kernels.
#pragma once

#include <vector>

#include "../checkpoint.h"
#include "kernels/packed.h"
#include "kv_pages.h"

namespace penstock::gemma::native {

using kernels::Mode;
using kernels::PackedMatrix;

struct Layer {
  std::vector<float> attention_norm, q_norm, k_norm, post_attention_norm,
      ffn_norm, post_ffn_norm;
  PackedMatrix q, k, v, out, gate, up, down;
};

/// All layers; queries carry the scale of the scores. Pages of the file are let
/// go as they are packed.
[[nodiscard]] std::vector<Layer> pack_layers(const Checkpoint& model, Mode mode,
                                             KvType kv_type);
/// Bytes of their matrices.
[[nodiscard]] std::int64_t layer_bytes(const Checkpoint& model, Mode mode);
/// Whether Mode::kInt8 can run it.
[[nodiscard]] bool is_quantised(const Checkpoint& model);

}  // namespace penstock::gemma::native

#include "gemma/native/layers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace penstock::gemma::native {
namespace {

std::vector<float> read_norm(const Checkpoint& model, const std::string& name,
                             std::int64_t count, double factor = 1) {
  std::vector<float> out = model.norm(name, count);
  for (float& number : out) number *= static_cast<float>(factor);
  return out;
}

/// Moves the norm weights that make some numbers of a key large to the query,
/// which leaves their product unchanged: numbers that share a scale are then
/// alike. Rotation mixes the pairs (i, n / 2 + i), so a pair keeps one factor.
void level(std::vector<float>& query, std::vector<float>& key) {
  const std::size_t half = key.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const float most = std::max(std::fabs(key[i]), std::fabs(key[half + i]));
    if (most == 0) continue;
    for (const std::size_t at : {i, half + i}) {
      key[at] /= most;
      query[at] *= most;
    }
  }
}

std::string block(std::int64_t layer) {
  return "blk." + std::to_string(layer) + ".";
}

/// The matrices of a layer: name and shape.
struct MatrixName {
  const char* name;
  std::int64_t rows, columns;
};

std::vector<MatrixName> matrix_names(const Config& c) {
  const std::int64_t q = c.heads * c.head_dim;
  const std::int64_t kv = c.kv_heads * c.head_dim;
  return {{"attn_q", q, c.hidden},       {"attn_k", kv, c.hidden},
          {"attn_v", kv, c.hidden},      {"attn_output", c.hidden, q},
          {"ffn_gate", c.ffn, c.hidden}, {"ffn_up", c.ffn, c.hidden},
          {"ffn_down", c.hidden, c.ffn}};
}

const WeightTensor& matrix(const Checkpoint& model, std::int64_t layer,
                           const MatrixName& m) {
  return model.at(block(layer) + m.name, {m.rows, m.columns});
}

}  // namespace

bool is_quantised(const Checkpoint& model) {
  const Config& config = model.config();
  for (std::int64_t i = 0; i < config.layers; ++i) {
    for (const MatrixName& m : matrix_names(config)) {
      if (!weight_coding(matrix(model, i, m).type)) return false;
    }
  }
  return true;
}

std::int64_t layer_bytes(const Checkpoint& model, ComputeType mode) {
  const Config& config = model.config();
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < config.layers; ++i) {
    for (const MatrixName& m : matrix_names(config)) {
      total += PackedMatrix::bytes(matrix(model, i, m), mode);
    }
  }
  return total;
}

std::vector<Layer> pack_layers(const Checkpoint& model, ComputeType mode,
                               KvType kv_type) {
  const Config& config = model.config();
  std::vector<Layer> layers(static_cast<std::size_t>(config.layers));
  const auto names = matrix_names(config);
  for (std::int64_t i = 0; i < config.layers; ++i) {
    Layer& layer = layers[static_cast<std::size_t>(i)];
    const std::string blk = block(i);
    layer.attention_norm = read_norm(model, blk + "attn_norm", config.hidden);
    // Queries carry the scale of the scores.
    layer.q_norm = read_norm(model, blk + "attn_q_norm", config.head_dim,
                             config.attention_scale);
    layer.k_norm = read_norm(model, blk + "attn_k_norm", config.head_dim);
    if (kv_type == KvType::kInt8) level(layer.q_norm, layer.k_norm);
    layer.post_attention_norm =
        read_norm(model, blk + "post_attention_norm", config.hidden);
    layer.ffn_norm = read_norm(model, blk + "ffn_norm", config.hidden);
    layer.post_ffn_norm =
        read_norm(model, blk + "post_ffw_norm", config.hidden);
    const std::array<PackedMatrix*, 7> to{&layer.q,   &layer.k,    &layer.v,
                                          &layer.out, &layer.gate, &layer.up,
                                          &layer.down};
    for (std::size_t m = 0; m < names.size(); ++m) {
      const WeightTensor& tensor = matrix(model, i, names[m]);
      *to[m] = PackedMatrix(tensor, mode);
      kernels::discard_pages(tensor);
    }
  }
  return layers;
}

}  // namespace penstock::gemma::native

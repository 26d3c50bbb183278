#include "gemma/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>

#include <ATen/ops/pow.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scalar_tensor.h>

#include <cmath>
#include <string>
#include <utility>

#include "gemma/projection.h"

namespace penstock::gemma {

/// Rotary position embedding (Su et al., 2021), the halves rotated as pairs.
struct Rotary {
  at::Tensor cos, sin;  ///< [N, 1, head_dim / 2]

  Rotary(const at::Tensor& positions, double base, double scale,
         std::int64_t head_dim, at::ScalarType dtype) {
    const auto exponent =
        at::arange(0, head_dim, 2, positions.options().dtype(at::kFloat)) /
        static_cast<double>(head_dim);
    const auto frequency = at::pow(base, exponent).reciprocal() / scale;
    const auto angle =
        (positions.to(at::kFloat).unsqueeze(1) * frequency).unsqueeze(1);
    cos = angle.cos().to(dtype);
    sin = angle.sin().to(dtype);
  }

  /// x [N, heads, head_dim]
  [[nodiscard]] at::Tensor rotate(const at::Tensor& x) const {
    const auto halves = x.chunk(2, -1);
    return at::cat(
        {halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin},
        -1);
  }
};

namespace {

at::Tensor positions_of(const std::vector<SequenceChunk>& chunks,
                        at::Device device) {
  std::vector<at::Tensor> pieces;
  pieces.reserve(chunks.size());
  for (const SequenceChunk& chunk : chunks) {
    pieces.push_back(
        at::arange(chunk.begin, chunk.begin + chunk.count, at::kLong));
  }
  return at::cat(pieces).to(device);
}

void show(Probe* probe, const std::string& name, const at::Tensor& tensor) {
  if (probe != nullptr) probe->tensor(name, tensor);
}

}  // namespace

/// Shared by all layers of one step.
struct Model::Turn {
  const std::vector<SequenceChunk>& chunks;
  Rotary full, local;
  std::vector<at::Tensor> full_masks, local_masks;  ///< by chunk

  Turn(const std::vector<SequenceChunk>& all, const Config& c,
       at::TensorOptions options)
      : chunks(all),
        full(positions_of(all, options.device()), c.rope_base, c.rope_scale,
             c.head_dim, c10::typeMetaToScalarType(options.dtype())),
        local(positions_of(all, options.device()), c.rope_base_local, 1,
              c.head_dim, c10::typeMetaToScalarType(options.dtype())) {
    for (const SequenceChunk& chunk : chunks) {
      full_masks.push_back(attention_mask(
          span_of(chunk.begin, chunk.count, kAll), kAll, options));
      local_masks.push_back(attention_mask(
          span_of(chunk.begin, chunk.count, c.window), c.window, options));
    }
  }
};

Model::Model(Config config, Weights weights)
    : config_(std::move(config)), weights_(std::move(weights)) {}

at::Tensor Model::norm(const at::Tensor& x, const at::Tensor& weight) const {
  const auto wide = x.to(at::kFloat);
  const auto mean = wide.square().mean(-1, /*keepdim=*/true);
  return (wide * (mean + config_.norm_epsilon).rsqrt_() * weight)
      .to(x.scalar_type());
}

at::Tensor Model::attention(const at::Tensor& x, std::int64_t layer,
                            const Turn& turn) const {
  const LayerWeights& w = weights_.layers[static_cast<std::size_t>(layer)];
  const Config& c = config_;
  const bool is_sliding = c.is_sliding(layer);
  const Rotary& rotary = is_sliding ? turn.local : turn.full;
  const auto qkv =
      project(x, w.qkv).view({-1, c.heads + 2 * c.kv_heads, c.head_dim});
  const auto all_q = qkv.narrow(1, 0, c.heads);
  const auto all_k = qkv.narrow(1, c.heads, c.kv_heads);
  const auto v = qkv.narrow(1, c.heads + c.kv_heads, c.kv_heads);
  const auto q = rotary.rotate(norm(all_q, w.q_norm));
  const auto k = rotary.rotate(norm(all_k, w.k_norm));

  std::vector<at::Tensor> answers;
  std::int64_t at = 0;
  for (std::size_t i = 0; i < turn.chunks.size(); ++i) {
    const SequenceChunk& chunk = turn.chunks[i];
    auto keys = k.narrow(0, at, chunk.count);
    auto values = v.narrow(0, at, chunk.count);
    const Span span =
        span_of(chunk.begin, chunk.count, is_sliding ? c.window : kAll);
    if (chunk.cache != nullptr) {
      KvBuffer& buffer = chunk.cache->layer(layer);
      buffer.append(keys, values);
      keys = buffer.keys(span.first, span.end);
      values = buffer.values(span.first, span.end);
    } else {
      keys = keys.transpose(0, 1);
      values = values.transpose(0, 1);
    }
    const auto& masks = is_sliding ? turn.local_masks : turn.full_masks;
    answers.push_back(
        attend(q.narrow(0, at, chunk.count), keys, values, masks[i], c));
    at += chunk.count;
  }
  return answers.size() == 1 ? answers[0] : at::cat(answers);
}

at::Tensor Model::feed_forward(const at::Tensor& x, const LayerWeights& w) {
  const auto both = project(x, w.gate_up).chunk(2, -1);
  return project(at::gelu(both[0], "tanh") * both[1], w.down);
}

at::Tensor Model::hidden(const at::Tensor& tokens,
                         const std::vector<SequenceChunk>& chunks,
                         const at::Tensor& wanted, Probe* probe) const {
  // sqrt(hidden) in the weights' dtype, as the model was trained: 25.25 in
  // bf16, 25.298221 in fp32, for 640.
  const auto scale =
      at::scalar_tensor(std::sqrt(static_cast<double>(config_.hidden)),
                        weights_.embedding.options());
  at::Tensor x = at::embedding(weights_.embedding, tokens) * scale;
  show(probe, "embeddings", x);
  if (probe != nullptr) probe->count("matmul_rows", x.size(0));
  const Turn turn(chunks, config_, x.options());
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    const LayerWeights& w = weights_.layers[static_cast<std::size_t>(i)];
    auto mixed = attention(norm(x, w.attention_norm), i, turn);
    if (i + 1 == config_.layers) {
      // After the last attention only wanted positions matter.
      mixed = mixed.index_select(0, wanted);
      x = x.index_select(0, wanted);
    }
    x = x + norm(project(mixed, w.attention_out), w.post_attention_norm);
    x = x + norm(feed_forward(norm(x, w.ffn_norm), w), w.post_ffn_norm);
    show(probe, "layer." + std::to_string(i), x);
  }
  return norm(x, weights_.norm);
}

at::Tensor Model::logits(const at::Tensor& hidden) const {
  return project(hidden, weights_.output).to(at::kFloat);
}

}  // namespace penstock::gemma

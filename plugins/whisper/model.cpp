#include "whisper/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "penstock/error.h"
#include "penstock/parallel.h"

namespace penstock::whisper {
namespace {

/// Attention of few queries over many keys: three products cost less than the
/// fused one.
at::Tensor attend_few(const at::Tensor& queries, const at::Tensor& keys,
                      const at::Tensor& values) {
  const double scale = 1 / std::sqrt(static_cast<double>(queries.size(-1)));
  const auto weights =
      at::softmax(at::matmul(queries * scale, keys.transpose(-2, -1)), -1);
  return at::matmul(weights, values);
}

/// Attention [B, heads, T, head_dim] of every position over all. In bf16
/// libtorch's fused attention takes four times as long as this: the scores of
/// one head at once, each head on a thread of its own.
at::Tensor attend_all(const at::Tensor& queries, const at::Tensor& keys,
                      const at::Tensor& values) {
  if (!queries.is_cpu() || queries.scalar_type() != at::kBFloat16) {
    return at::scaled_dot_product_attention(queries, keys, values);
  }
  const auto q = queries.flatten(0, 1);
  const auto k = keys.flatten(0, 1);
  const auto v = values.flatten(0, 1);
  auto out = at::empty(q.sizes(), q.options());
  parallel_for(q.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    const c10::InferenceMode inference;
    const SerialOps serial;
    for (std::int64_t i = begin; i < end; ++i) {
      out[i].copy_(attend_few(q[i], k[i], v[i]));
    }
  });
  return out.view(queries.sizes());
}

}  // namespace

at::Tensor Model::product(const at::Tensor& x, const Linear& linear) const {
  return at::linear(x.to(dtype_), linear.weight, linear.bias);
}

at::Tensor Model::normed(const at::Tensor& x, const Norm& norm) const {
  return at::layer_norm(x, {config_.dim}, norm.weight, norm.bias);
}

/// Splits [..., T, dim] into [..., heads, T, head_dim].
at::Tensor Model::heads(const at::Tensor& x) const {
  return x.unflatten(-1, {config_.heads, config_.head_dim()}).transpose(-3, -2);
}

void Model::feed_forward(at::Tensor& x, const Layer& layer) const {
  const auto up = at::gelu(product(normed(x, layer.ffn_norm), layer.up));
  x.add_(product(up, layer.down));
}

at::Tensor Model::encode(const at::Tensor& features) const {
  auto sound = at::gelu(at::conv1d(features.to(dtype_), conv1_.weight,
                                   conv1_.bias, /*stride=*/1, /*padding=*/1));
  sound = at::gelu(at::conv1d(sound, conv2_.weight, conv2_.bias, /*stride=*/2,
                              /*padding=*/1));
  auto x = sound.transpose(1, 2).to(at::kFloat) + encoder_positions_;
  for (const Layer& layer : encoder_) {
    const auto qkv = product(normed(x, layer.attention_norm), layer.qkv)
                         .chunk(3, /*dim=*/-1);
    const auto seen = attend_all(heads(qkv[0]), heads(qkv[1]), heads(qkv[2]));
    x.add_(product(seen.transpose(1, 2).flatten(-2), layer.attention_out));
    feed_forward(x, layer);
  }
  return normed(x, encoder_norm_);
}

Cache Model::make_cache() const {
  Cache cache;
  const auto add = [&](std::vector<at::Tensor>& to, std::int64_t length) {
    to.push_back(at::empty({config_.heads, length, config_.head_dim()},
                           head_.options()));
  };
  for (std::size_t i = 0; i < decoder_.size(); ++i) {
    add(cache.keys, config_.context);
    add(cache.values, config_.context);
    add(cache.window_keys, config_.positions);
    add(cache.window_values, config_.positions);
  }
  return cache;
}

void Model::begin(const at::Tensor& encoded, Cache& cache) const {
  for (std::size_t i = 0; i < decoder_.size(); ++i) {
    const auto kv = product(encoded, decoder_[i].window_kv).chunk(2, -1);
    cache.window_keys[i].copy_(heads(kv[0]));
    cache.window_values[i].copy_(heads(kv[1]));
  }
  cache.length = 0;
}

at::Tensor Model::attend_text(const at::Tensor& qkv, std::size_t layer,
                              const std::vector<SequenceChunk>& chunks) const {
  std::vector<at::Tensor> seen;
  std::int64_t at = 0;
  for (const SequenceChunk& chunk : chunks) {
    const auto own = qkv.narrow(0, at, chunk.count).chunk(3, -1);
    at += chunk.count;
    const std::int64_t begin = chunk.cache->length;
    const auto& keys = chunk.cache->keys[layer];
    const auto& values = chunk.cache->values[layer];
    keys.narrow(1, begin, chunk.count).copy_(heads(own[1]));
    values.narrow(1, begin, chunk.count).copy_(heads(own[2]));
    const std::int64_t end = begin + chunk.count;
    std::optional<at::Tensor> mask;
    if (chunk.count > 1) {
      const auto options = keys.options().dtype(at::kLong);
      mask = at::arange(end, options) <=
             at::arange(begin, end, options).unsqueeze(1);
    }
    seen.push_back(at::scaled_dot_product_attention(
                       heads(own[0]).unsqueeze(0),
                       keys.narrow(1, 0, end).unsqueeze(0),
                       values.narrow(1, 0, end).unsqueeze(0), mask)
                       .squeeze(0)
                       .transpose(0, 1)
                       .flatten(-2));
  }
  return seen.size() == 1 ? seen[0] : at::cat(seen);
}

at::Tensor Model::attend_window(
    const at::Tensor& queries, std::size_t layer,
    const std::vector<SequenceChunk>& chunks) const {
  std::vector<at::Tensor> seen;
  std::int64_t at = 0;
  for (const SequenceChunk& chunk : chunks) {
    const auto own = heads(queries.narrow(0, at, chunk.count));
    at += chunk.count;
    seen.push_back(attend_few(own, chunk.cache->window_keys[layer],
                              chunk.cache->window_values[layer])
                       .transpose(0, 1)
                       .flatten(-2));
  }
  return seen.size() == 1 ? seen[0] : at::cat(seen);
}

at::Tensor Model::decode(const at::Tensor& tokens,
                         const std::vector<SequenceChunk>& chunks) const {
  std::vector<at::Tensor> places;
  for (const SequenceChunk& chunk : chunks) {
    const std::int64_t begin = chunk.cache->length;
    if (begin + chunk.count > config_.context) {
      throw Error(Code::kInternal,
                  str("the text has over ", config_.context, " tokens"));
    }
    places.push_back(decoder_positions_.narrow(0, begin, chunk.count));
  }
  auto x = embeddings_.index_select(0, tokens) + at::cat(places);
  for (std::size_t i = 0; i < decoder_.size(); ++i) {
    const Layer& layer = decoder_[i];
    const auto qkv = product(normed(x, layer.attention_norm), layer.qkv);
    x.add_(product(attend_text(qkv, i, chunks), layer.attention_out));
    const auto queries = product(normed(x, layer.window_norm), layer.window_q);
    x.add_(product(attend_window(queries, i, chunks), layer.window_out));
    feed_forward(x, layer);
  }
  for (const SequenceChunk& chunk : chunks) chunk.cache->length += chunk.count;
  return normed(x, decoder_norm_);
}

at::Tensor Model::logits(const at::Tensor& hidden) const {
  const auto x = hidden.to(dtype_);
  if (!x.is_cpu()) return at::linear(x, head_).to(at::kFloat);
  // libtorch multiplies few rows by a large weight on one thread.
  auto out = at::empty({x.size(0), config_.vocab}, at::kFloat);
  parallel_for(config_.vocab, 4096, [&](std::int64_t begin, std::int64_t end) {
    const c10::InferenceMode inference;
    const SerialOps serial;
    out.narrow(1, begin, end - begin)
        .copy_(at::linear(x, head_.narrow(0, begin, end - begin)));
  });
  return out;
}

}  // namespace penstock::whisper

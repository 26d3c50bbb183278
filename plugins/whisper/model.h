// The model: Whisper as in its paper, in ATen operations.
//
//   features [mels, 3000] -> two convolutions -> encoder layers
//     -> encoded [1500, dim] -> keys and values for the decoder, once a window
//   tokens -> decoder layers over the text so far and the window -> scores
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>
#include <vector>

#include "whisper/arrays.h"

namespace penstock::whisper {

struct Config {
  std::int64_t mels = 80, dim = 384, heads = 6, ffn = 1536, vocab = 51864;
  std::int64_t encoder_layers = 4, decoder_layers = 4;
  std::int64_t positions = 1500;  ///< positions of a window, 20 ms each
  std::int64_t context = 448;     ///< most tokens of a text
  [[nodiscard]] std::int64_t window() const { return 2 * positions; }
  [[nodiscard]] std::int64_t head_dim() const { return dim / heads; }
};

/// Finds the config from the arrays' shapes; throws Error(kData) when they are
/// not those of Whisper.
[[nodiscard]] Config read_config(const Arrays& file);

/// Keys and values of one sequence, [heads, most, head_dim] a layer; made once
/// and used by one sequence after the other.
struct Cache {
  std::vector<at::Tensor> keys, values;                ///< of the text so far
  std::vector<at::Tensor> window_keys, window_values;  ///< of the sound
  std::int64_t length = 0;                             ///< tokens
};

/// One sequence's tokens of a step: [cache.length, cache.length + count).
struct SequenceChunk {
  std::int64_t count = 0;
  Cache* cache = nullptr;
};

/// Const once loaded; the caches belong to the caller. All tensors are on the
/// model's device.
class Model {
 public:
  /// Computes in float32, or in bfloat16 products with float32 sums. On
  /// at::kMeta no number is read: for the shapes alone.
  Model(const Arrays& file, at::ScalarType dtype, at::Device device = at::kCPU);

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] at::Device device() const { return head_.device(); }
  /// Encodes f32[B, mels, 3000] to [B, 1500, dim].
  [[nodiscard]] at::Tensor encode(const at::Tensor& features) const;
  [[nodiscard]] Cache make_cache() const;
  /// Begins an empty text about an encoded window [1500, dim].
  void begin(const at::Tensor& encoded, Cache& cache) const;
  /// Hidden states f32[N, dim] of the chunks' tokens i64[N], end to end;
  /// extends the caches.
  [[nodiscard]] at::Tensor decode(
      const at::Tensor& tokens, const std::vector<SequenceChunk>& chunks) const;
  /// Scores f32[N, vocab] of hidden states f32[N, dim].
  [[nodiscard]] at::Tensor logits(const at::Tensor& hidden) const;

 private:
  struct Linear {
    at::Tensor weight, bias;
  };
  struct Norm {
    at::Tensor weight, bias;
  };
  struct Layer {
    Norm attention_norm, window_norm, ffn_norm;
    Linear qkv, attention_out;               ///< over its own sequence
    Linear window_q, window_kv, window_out;  ///< the decoder's, over the sound
    Linear up, down;
  };
  class Loader;

  [[nodiscard]] at::Tensor product(const at::Tensor& x,
                                   const Linear& linear) const;
  [[nodiscard]] at::Tensor normed(const at::Tensor& x, const Norm& norm) const;
  [[nodiscard]] at::Tensor heads(const at::Tensor& x) const;
  void feed_forward(at::Tensor& x, const Layer& layer) const;
  [[nodiscard]] at::Tensor attend_text(
      const at::Tensor& qkv, std::size_t layer,
      const std::vector<SequenceChunk>& chunks) const;
  [[nodiscard]] at::Tensor attend_window(
      const at::Tensor& queries, std::size_t layer,
      const std::vector<SequenceChunk>& chunks) const;

  Config config_;
  at::ScalarType dtype_;
  Linear conv1_, conv2_;
  at::Tensor encoder_positions_, decoder_positions_, embeddings_;
  std::vector<Layer> encoder_, decoder_;
  Norm encoder_norm_, decoder_norm_;
  at::Tensor head_;  ///< the embeddings, in the dtype of products
};

}  // namespace penstock::whisper

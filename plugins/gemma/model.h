// Gemma 3 (Gemma Team, 2025), the text decoder, in ATen operations: the same
// code for any device. It reads as the model is drawn:
//
//   x = embedding[token] * sqrt(hidden)
//   each layer:  x += norm(attention(norm(x)))
//                x += norm(feed_forward(norm(x)))
//   scores = norm(x) . output^T, which most models share with embedding
#pragma once

#include <functional>
#include <vector>

#include "gemma/attention.h"
#include "gemma/config.h"
#include "gemma/kv_cache.h"
#include "gemma/weights.h"
#include "penstock/step.h"

namespace penstock::gemma {

/// One sequence's tokens [begin, begin + count) among the packed tokens.
struct SequenceChunk {
  std::int64_t begin = 0;
  std::int64_t count = 0;
  KvCache* cache = nullptr;  ///< null: the chunk is the whole sequence
};

class Model {
 public:
  Model(Config config, Weights weights);

  /// Final normed hidden states [wanted, hidden]. `tokens` i64[N] are the
  /// chunks end to end, `wanted` i64[W] positions among them. Caches must hold
  /// exactly [0, begin) of their sequences, and are extended.
  [[nodiscard]] at::Tensor hidden(const at::Tensor& tokens,
                                  const std::vector<SequenceChunk>& chunks,
                                  const at::Tensor& wanted, Probe* probe) const;
  /// Scores f32[R, vocab] of hidden states [R, hidden].
  [[nodiscard]] at::Tensor logits(const at::Tensor& hidden) const;

 private:
  struct Turn;

  [[nodiscard]] at::Tensor norm(const at::Tensor& x,
                                const at::Tensor& weight) const;
  [[nodiscard]] at::Tensor attention(const at::Tensor& x, std::int64_t layer,
                                     const Turn& turn) const;
  [[nodiscard]] static at::Tensor feed_forward(const at::Tensor& x,
                                               const LayerWeights& w);

  Config config_;
  Weights weights_;
};

}  // namespace penstock::gemma

// Keys and values of earlier tokens, one buffer per layer and slot.
//
// A sliding layer keeps the last window - 1 tokens and some slack. It is a ring
// in effect, but not in layout: tokens lie in order, and when the end of the
// buffer is reached the kept ones move to its front, once in a buffer's length.
// So attention always reads one contiguous piece, with no modulo and no gather;
// the moves cost less than a thousandth of a step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "gemma/config.h"

namespace penstock::gemma {

/// One layer of one slot. Keys carry their rotary position already.
class KvBuffer {
 public:
  /// `reach`: tokens before a query that it may look at, kAll for a full layer.
  /// `slack`: tokens that truncate() can always drop.
  KvBuffer(const Config& config, std::int64_t reach, std::int64_t slack,
           at::TensorOptions options);

  /// Adds the keys and values [n, kv_heads, head_dim] of the next n tokens.
  void append(const at::Tensor& keys, const at::Tensor& values);
  /// Views [kv_heads, end - begin, head_dim] of tokens [begin, end).
  [[nodiscard]] at::Tensor keys(std::int64_t begin, std::int64_t end) const;
  [[nodiscard]] at::Tensor values(std::int64_t begin, std::int64_t end) const;

  void truncate(std::int64_t length);
  void copy_from(const KvBuffer& other);
  [[nodiscard]] std::int64_t held_bytes() const;
  [[nodiscard]] std::int64_t length() const { return base_ + held_; }
  [[nodiscard]] std::int64_t reach() const { return reach_; }

 private:
  void make_room(std::int64_t count);
  /// On a GPU a sliding layer's is its last: no step of a long answer
  /// allocates.
  [[nodiscard]] std::int64_t first_capacity() const;

  std::int64_t kv_heads_, head_dim_, reach_, slack_, context_;
  at::TensorOptions options_;
  at::Tensor keys_, values_;  ///< [kv_heads, capacity, head_dim]
  std::int64_t capacity_ = 0;
  std::int64_t base_ = 0;  ///< token at the buffer's begin
  std::int64_t held_ = 0;  ///< tokens in the buffer
};

/// All layers of one slot.
class KvCache {
 public:
  KvCache(const Config& config, std::int64_t slack, at::TensorOptions options);

  /// Bytes of a sequence as long as the context, given in chunks.
  [[nodiscard]] static std::int64_t bytes(const Config& config,
                                          std::int64_t slack,
                                          std::int64_t chunk,
                                          std::int64_t number_bytes);

  [[nodiscard]] KvBuffer& layer(std::int64_t i) {
    return layers_[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] std::int64_t length() const { return layers_[0].length(); }
  void truncate(std::int64_t length);
  void copy_from(const KvCache& other);
  [[nodiscard]] std::int64_t held_bytes() const;

 private:
  std::vector<KvBuffer> layers_;
};

}  // namespace penstock::gemma

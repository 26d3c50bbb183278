// Engine: runs a model behind whisper.forward. It keeps for each slot its text
// so far and the window of sound that the text is about.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "penstock/value.h"
#include "whisper/model.h"

namespace penstock::whisper {

/// New tokens of a slot's text.
struct NewTokens {
  int slot = 0;
  std::int64_t count = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual const Config& config() const = 0;
  /// Encodes windows f32[mels, 3000] and begins an empty text about each, in
  /// the slot of the same index.
  virtual void encode(const std::vector<at::Tensor>& windows,
                      const std::vector<int>& slots) = 0;
  /// Decodes the texts' new tokens i64[N], end to end; gives scores f32[W,
  /// vocab] behind the W of them at `wanted`.
  [[nodiscard]] virtual at::Tensor decode(const at::Tensor& tokens,
                                          const std::vector<NewTokens>& texts,
                                          const Tokens& wanted) = 0;
  /// Number of tokens of a slot's text.
  [[nodiscard]] virtual std::int64_t length(int slot) const = 0;
  virtual void truncate(int slot, std::int64_t length) = 0;
  virtual void release(int slot) noexcept = 0;
};

}  // namespace penstock::whisper

// The native engine: this folder's encoder and decoder behind whisper.forward.
#pragma once

#include <vector>

#include "whisper/engine.h"
#include "whisper/native/decoder.h"
#include "whisper/native/encoder.h"

namespace penstock::whisper::native {

class NativeEngine final : public Engine {
 public:
  NativeEngine(const Arrays& file, PackedType kind, int slots);
  NativeEngine(const NativeEngine&) = delete;
  NativeEngine& operator=(const NativeEngine&) = delete;

  /// Sizes that the kernels can do; the reference engine does all.
  [[nodiscard]] static bool can_run(const Config& config);
  /// Bytes of the weights of a model with `numbers` of them.
  [[nodiscard]] static std::int64_t bytes(PackedType kind,
                                          std::int64_t numbers);
  /// Bytes of a slot in use.
  [[nodiscard]] static std::int64_t sequence_bytes(const Config& config,
                                                   PackedType kind);

  [[nodiscard]] const Config& config() const override {
    return weights_.config;
  }
  /// Encoder output for a window, f32[positions, dim].
  [[nodiscard]] at::Tensor encoder_output(const at::Tensor& window);
  void encode(const std::vector<at::Tensor>& windows,
              const std::vector<int>& slots) override;
  [[nodiscard]] at::Tensor decode(const at::Tensor& tokens,
                                  const std::vector<NewTokens>& texts,
                                  const Tokens& wanted) override;
  [[nodiscard]] std::int64_t length(int slot) const override;
  void truncate(int slot, std::int64_t length) override;
  /// Keeps the memory for the next text of the slot.
  void release(int slot) noexcept override;

 private:
  Weights weights_;
  Encoder encoder_;
  Decoder decoder_;
  std::vector<TextState> texts_;  ///< by slot
};

}  // namespace penstock::whisper::native

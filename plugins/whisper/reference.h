// The reference engine: the model in ATen operations, on any device.
#pragma once

#include <vector>

#include "whisper/engine.h"
#include "whisper/model.h"

namespace penstock::whisper {

class ReferenceEngine final : public Engine {
 public:
  ReferenceEngine(const Arrays& file, at::ScalarType dtype, int slots,
                  at::Device device = at::kCPU)
      : model_(file, dtype, device), caches_(static_cast<std::size_t>(slots)) {}

  /// Bytes of a slot in use.
  [[nodiscard]] static std::int64_t sequence_bytes(const Config& config,
                                                   at::ScalarType dtype);

  [[nodiscard]] const Config& config() const override {
    return model_.config();
  }
  void encode(const std::vector<at::Tensor>& windows,
              const std::vector<int>& slots) override;
  [[nodiscard]] at::Tensor decode(const at::Tensor& tokens,
                                  const std::vector<NewTokens>& texts,
                                  const Tokens& wanted) override;
  [[nodiscard]] std::int64_t length(int slot) const override;
  void truncate(int slot, std::int64_t length) override;
  void release(int slot) noexcept override;

 private:
  Model model_;
  /// By slot; made at its first use and kept.
  std::vector<Cache> caches_;
};

}  // namespace penstock::whisper

// The reference engine: the model in ATen operations, on any device.
#pragma once

#include <vector>

#include "gemma/engine.h"
#include "gemma/kv_cache.h"
#include "gemma/model.h"
#include "gemma/slot_caches.h"

namespace penstock::gemma {

class ReferenceEngine final : public Engine {
 public:
  struct Options {
    at::ScalarType dtype = at::kFloat;  ///< or kBFloat16
    at::Device device = at::kCPU;
    int slots = 0;        ///< 0: the textbook loop, without a cache
    bool logits = false;  ///< also give every position's scores
  };
  ReferenceEngine(const Checkpoint& model, const Options& options);
  /// The weights are of that dtype, on that device.
  ReferenceEngine(const Config& config, Weights weights,
                  const Options& options);

  /// Bytes of a sequence as long as the context, given in chunks.
  [[nodiscard]] static std::int64_t sequence_bytes(const Config& config,
                                                   at::ScalarType dtype,
                                                   std::int64_t chunk);

  [[nodiscard]] std::string_view dtype() const override;
  [[nodiscard]] Caps caps() const override;
  [[nodiscard]] Result run(const Step& step, const Tokens& tokens) override;
  void release(int slot) noexcept override { caches_.release(slot); }
  void truncate(int slot, std::int64_t length) override {
    caches_.truncate(slot, length);
  }
  void copy(int from, int to) override { caches_.copy(from, to); }
  [[nodiscard]] std::int64_t state_bytes(int slot) const override {
    return caches_.held_bytes(slot);
  }

 private:
  [[nodiscard]] std::vector<SequenceChunk> chunks(const Step& step);
  [[nodiscard]] Scores score(const at::Tensor& hidden, const Step& step) const;

  Config config_;
  Options options_;
  Model model_;
  SlotCaches<KvCache> caches_;
};

}  // namespace penstock::gemma

// The native engine: this folder's model and head behind gemma.forward.
#pragma once

#include <memory>
#include <vector>

#include "gemma/engine.h"
#include "gemma/native/head.h"
#include "gemma/native/kv_pages.h"
#include "gemma/native/model.h"
#include "gemma/slot_caches.h"

namespace penstock::gemma::native {

class NativeEngine final : public Engine {
 public:
  /// `model` is kept: scores are computed from its output projection.
  NativeEngine(Checkpoint model, ComputeType mode, KvType kv_type, int slots);

  /// The mode that `dtype` means for a model: auto is int8 for quantised
  /// weights, else bf16 where the processor computes in it. Throws
  /// Error(kUsage) for int8 and weights that are not quantised.
  [[nodiscard]] static ComputeType mode(Dtype dtype, const Checkpoint& model);
  /// What `kv_dtype` means; auto is fp32 in ComputeType::kF32, else bf16.
  [[nodiscard]] static KvType kv_type(Dtype kv_dtype, ComputeType mode);
  /// Bytes that the constructor will take.
  [[nodiscard]] static std::int64_t bytes(const Checkpoint& model,
                                          ComputeType mode);

  /// Bytes of a sequence as long as the context, given in chunks, beyond
  /// bytes().
  [[nodiscard]] static std::int64_t sequence_bytes(const Config& config,
                                                   KvType kv_type,
                                                   std::int64_t chunk);
  /// Bytes that a step of `tokens` is computed in, whosever they are.
  [[nodiscard]] static std::int64_t step_bytes(const Config& config,
                                               ComputeType mode,
                                               std::int64_t tokens);
  /// Bytes of `output`, the file's, that are read for the best scores of so
  /// many tokens: of rows that may be among the best, wherever they lie.
  [[nodiscard]] static std::int64_t read_bytes(const WeightTensor& output,
                                               std::int64_t tokens,
                                               std::int64_t best);

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
  void hidden_states(const Step& step, const Tokens& tokens,
                     const Tokens& wanted, float* out);

  Checkpoint weights_;
  Config config_;
  ComputeType mode_;
  Model model_;
  Head head_;
  SlotCaches<KvPages> caches_;
};

}  // namespace penstock::gemma::native

// The CUDA engine on a simulated device, as a Forward and driven by hand.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gemma/cuda/engine.h"
#include "lib/gpu/simulated_api.h"
#include "penstock/forward.h"

namespace penstock::gemma::cuda {

/// An engine over an api that runs simulated kernels, GroupKernels too where
/// `has_groups`; the caller may keep the api.
[[nodiscard]] std::unique_ptr<CudaEngine> sim_engine(
    const std::string& model, const CudaEngine::Options& options,
    std::shared_ptr<gpu::DeviceApi> api, bool has_groups = false);

/// An engine as the Forward that gemma.forward would be.
class EngineForward final : public Forward {
 public:
  explicit EngineForward(std::unique_ptr<Engine> engine)
      : engine_(std::move(engine)) {}

  [[nodiscard]] Caps caps() const override { return engine_->caps(); }
  [[nodiscard]] Result forward(const Step& step) override;
  void release(int slot) noexcept override { engine_->release(slot); }
  void truncate(int slot, std::int64_t length) override {
    engine_->truncate(slot, length);
  }
  void copy(int from, int to) override { engine_->copy(from, to); }
  [[nodiscard]] std::int64_t state_bytes(int slot) const override {
    return engine_->state_bytes(slot);
  }

 private:
  std::unique_ptr<Engine> engine_;
};

/// Sequences that a test feeds to a Forward.
class Sequences {
 public:
  explicit Sequences(Forward& forward, std::size_t count);

  [[nodiscard]] Sequence& at(std::size_t i) { return sequences_[i]; }
  /// Runs `counts[i]` tokens of sequence i, those with 0 not at all; scores of
  /// the tokens that their wants say.
  Scores run(const std::vector<std::int64_t>& counts, Probe* probe = nullptr);
  /// All tokens that are not in the slots yet.
  Scores run_rest(Probe* probe = nullptr);

 private:
  Forward& forward_;
  std::vector<Item> items_;
  std::vector<Sequence> sequences_;
};

}  // namespace penstock::gemma::cuda

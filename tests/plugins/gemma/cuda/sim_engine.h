// The CUDA engine on a simulated device, as a Forward and driven by hand.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gemma/cuda/engine.h"
#include "gemma/with_engine.h"
#include "lib/gpu/simulated_api.h"
#include "penstock/forward.h"

namespace penstock::gemma::cuda {

/// An engine over an api that runs simulated kernels, GroupKernels too where
/// `has_groups`; the caller may keep the api.
[[nodiscard]] std::unique_ptr<CudaEngine> sim_engine(
    const std::string& model, const CudaEngine::Options& options,
    std::shared_ptr<gpu::DeviceApi> api, bool has_groups = false);

/// An engine as the Forward that gemma.forward would be.
class EngineForward final : public WithEngine {
 public:
  explicit EngineForward(std::unique_ptr<Engine> engine)
      : WithEngine(std::move(engine)) {}
  [[nodiscard]] Result forward(const Step& step) override;
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

#include "tests/plugins/gemma/cuda/sim_engine.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "penstock/testing/conformance.h"

namespace penstock::gemma::cuda {

std::unique_ptr<CudaEngine> sim_engine(const std::string& model,
                                       const CudaEngine::Options& options,
                                       std::shared_ptr<gpu::DeviceApi> api,
                                       bool has_groups) {
  return std::make_unique<CudaEngine>(
      std::move(api), simulated_kernels(options.type, has_groups),
      Checkpoint(model), options);
}

Result EngineForward::forward(const Step& step) {
  const at::Tensor ids = get(step.inputs, "tokens").contiguous();
  const auto* first = ids.const_data_ptr<std::int64_t>();
  return engine_->run(step, {first, first + ids.numel()});
}

Sequences::Sequences(Forward& forward, std::size_t count)
    : forward_(forward), items_(count), sequences_(count) {
  for (std::size_t i = 0; i < count; ++i) {
    sequences_[i].item = &items_[i];
    sequences_[i].slot = static_cast<int>(i);
  }
}

Scores Sequences::run(const std::vector<std::int64_t>& counts, Probe* probe) {
  Step step;
  step.layout = Layout::kPacked;
  step.probe = probe;
  std::int64_t out = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    Sequence& sequence = sequences_[i];
    if (counts[i] == 0) continue;
    const std::int64_t end = sequence.cached + counts[i];
    const std::int64_t from =
        std::max(sequence.cached, std::min(end, sequence.first_scored()));
    step.slices.push_back({.sequence = &sequence,
                           .count = counts[i],
                           .begin = sequence.cached,
                           .out = out,
                           .outs = end - from});
    out += end - from;
  }
  step.inputs = testing::collate(Layout::kPacked, step.slices);
  Scores scores = forward_.forward(step).scores;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sequences_[i].cached += counts[i];
    sequences_[i].is_fresh = false;
  }
  return scores;
}

Scores Sequences::run_rest(Probe* probe) {
  std::vector<std::int64_t> counts;
  for (const Sequence& each : sequences_) {
    counts.push_back(each.length() - each.cached);
  }
  return run(counts, probe);
}

}  // namespace penstock::gemma::cuda

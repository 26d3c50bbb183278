#include "tests/plugins/gemma/cuda/ahead_runs.h"

#include <memory>

#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {

using core::SampleParams;
using gpu::SimulatedApi;

CudaEngine::Options options(const How& how) {
  return {.type = how.type,
          .slots = how.slots,
          .chunk = 64,
          .rows = 64,
          .runs_ahead = how.runs_ahead,
          .screens = how.screens};
}

Ran run(const std::vector<AheadHost::Asked>& asked, const How& how) {
  auto api = std::make_shared<SimulatedApi>(
      SimulatedApi::Options{.bytes = how.bytes, .is_late = how.is_late});
  auto engine = sim_engine(tiny("scaled.gguf"), options(how), api);
  const CudaEngine& known = *engine;
  EngineForward forward(std::move(engine));
  AheadHost host(forward);
  for (const AheadHost::Asked& each : asked) host.add(each);
  host.run();
  return {host.texts(), known.ahead_counts(), host.steps()};
}

Tokens prompt(std::int64_t first, int count) {
  Tokens out{2};
  for (int i = 1; i < count; ++i) out.push_back(300 + first + i);
  return out;
}

SampleParams sampled(std::int64_t seed, std::int64_t most) {
  SampleParams out;
  out.temperature = 1;
  out.top_k = 64;
  out.top_p = 0.95;
  out.seed = seed;
  out.max_new_tokens = most;
  out.ignore_eos = true;
  return out;
}

SampleParams greedy(std::int64_t most) {
  SampleParams out;
  out.max_new_tokens = most;
  out.ignore_eos = true;
  return out;
}

}  // namespace penstock::gemma::cuda

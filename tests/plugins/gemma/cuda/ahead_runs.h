// Requests run to their end by the engine on a simulated device, ahead of its
// host or not.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "gemma/cuda/engine.h"
#include "penstock/parallel.h"
#include "tests/plugins/gemma/cuda/ahead_host.h"

namespace penstock::gemma::cuda {

/// What came of requests.
struct Ran {
  std::map<std::pair<int, int>, Tokens> texts;
  AheadCounts counts;
  int steps = 0;
};

struct How {
  bool runs_ahead = true;
  NumberType type = NumberType::kF32;
  bool is_late = false;
  std::int64_t bytes = std::int64_t{1} << 30;
  int slots = 8;
  bool screens = false;
};

[[nodiscard]] CudaEngine::Options options(const How& how);
[[nodiscard]] Ran run(const std::vector<AheadHost::Asked>& asked,
                      const How& how);

/// The beginning, then 301 + first and what follows it: `count` tokens.
[[nodiscard]] Tokens prompt(std::int64_t first, int count = 4);
[[nodiscard]] core::SampleParams sampled(std::int64_t seed,
                                         std::int64_t most = 8);
[[nodiscard]] core::SampleParams greedy(std::int64_t most = 8);

class OnOneThread : public ::testing::Test {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }
};

}  // namespace penstock::gemma::cuda

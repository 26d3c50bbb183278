// Memory of a long sequence of the real model against what was foreseen
// of it. A program of its own: memory that an earlier test gave back
// would be used again.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <thread>

#include "gemma/checkpoint.h"
#include "gemma/native/engine.h"
#include "penstock/models.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

/// Memory of its own that the process has, in bytes.
std::int64_t own_memory() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    std::int64_t kilobytes = 0;
    if (word == "RssAnon:" && in >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

/// The most of it while something runs.
std::int64_t most_memory(const std::function<void()>& act) {
  std::atomic<std::int64_t> most = 0;
  const std::jthread watch([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      most = std::max(most.load(), own_memory());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  act();
  return most;
}

/// A prompt as long as the context; outside the full run of a shorter one.
TEST(Memory, OfALongRowIsAsForeseen) {
  const std::string model = resolve_model("gemma-3-270m");
  const Checkpoint checkpoint(model);
  Config config = checkpoint.config();
  if (std::getenv("PENSTOCK_FULL") == nullptr) config.context = 8192;
  const auto mode = native::NativeEngine::mode(Dtype::kAuto, checkpoint);
  const std::int64_t foreseen =
      native::NativeEngine::sequence_bytes(config, native::KvType::kBf16, 512) +
      native::NativeEngine::step_bytes(config, mode, 512);
  Driven driven(model, {.engine = "native", .dtype = "auto"});
  (void)driven.run({2, 3, 4}, {});
  const std::int64_t before = own_memory();
  Tokens tokens(static_cast<std::size_t>(config.context));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<std::int64_t>(i * 37 % 200'000);
  }
  const std::int64_t taken =
      most_memory([&] { (void)driven.run(tokens, {}); }) - before;
  std::cout << config.context << " tokens: " << (taken >> 20)
            << " MiB, foreseen " << (foreseen >> 20) << "\n";
  EXPECT_NEAR(static_cast<double>(taken) / static_cast<double>(foreseen), 1,
              0.15);
}

}  // namespace
}  // namespace penstock::gemma

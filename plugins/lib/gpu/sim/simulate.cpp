#include "lib/gpu/sim/simulate.h"

#include <memory>
#include <string>
#include <vector>

#include "lib/gpu/sim/launch.h"
#include "lib/gpu/sim/sim_block.h"

namespace penstock::gpu {
namespace {

/// One block after the other, the last first where `is_reversed`.
void run_in_turn(SimLaunch& launch, const void* params, bool is_reversed) {
  SimBlock block(launch);
  for (std::uint32_t i = 0; i < launch.blocks(); ++i) {
    block.begin(is_reversed ? launch.blocks() - 1 - i : i, params, is_reversed);
    block.advance();
    if (!block.has_ended()) block.fail_awaiting();
  }
}

/// All at the same time: each goes on till it awaits what others must count.
void run_together(SimLaunch& launch, const void* params, bool is_reversed) {
  std::vector<std::unique_ptr<SimBlock>> blocks;
  for (std::uint32_t i = 0; i < launch.blocks(); ++i) {
    blocks.push_back(std::make_unique<SimBlock>(launch));
    blocks.back()->begin(is_reversed ? launch.blocks() - 1 - i : i, params,
                         is_reversed);
    blocks.back()->advance();
  }
  for (bool has_advanced = true; has_advanced;) {
    has_advanced = false;
    for (const auto& block : blocks) {
      if (block->has_ended() || !block->can_advance()) continue;
      block->advance();
      has_advanced = true;
    }
  }
  for (const auto& block : blocks) {
    if (!block->has_ended()) block->fail_awaiting();
  }
}

}  // namespace

void simulate(const Kernel& kernel, const Geometry& geometry,
              const void* params, SimMemory& memory,
              const SimOptions& options) {
  if (kernel.simulate == nullptr) {
    throw SimError(std::string(kernel.name == nullptr ? "?" : kernel.name) +
                   " was not compiled for the simulator");
  }
  SimLaunch launch(kernel, geometry, memory);
  if (kernel.waits_for_blocks) {
    run_together(launch, params, options.is_reversed);
  } else {
    run_in_turn(launch, params, options.is_reversed);
  }
}

}  // namespace penstock::gpu

// Runs a kernel on the CPU, block by block, and checks what it does (see
// sim_block.h).
#pragma once

#include "lib/gpu/kernel.h"
#include "lib/gpu/sim/memory.h"

namespace penstock::gpu {

struct SimOptions {
  /// The last block and the last thread first: the answer must not change.
  bool is_reversed = false;
};

/// Throws SimError for what the kernel does wrong; what it had written until
/// then stays.
void simulate(const Kernel& kernel, const Geometry& geometry,
              const void* params, SimMemory& memory,
              const SimOptions& options = {});

}  // namespace penstock::gpu

#include "lib/gpu/sim/simulate.h"

#include <string>

#include "lib/gpu/sim/sim_block.h"

namespace penstock::gpu {

void simulate(const Kernel& kernel, const Geometry& geometry,
              const void* params, SimMemory& memory,
              const SimOptions& options) {
  if (kernel.simulate == nullptr) {
    throw SimError(std::string(kernel.name == nullptr ? "?" : kernel.name) +
                   " was not compiled for the simulator");
  }
  SimBlock block(kernel, geometry, memory);
  block.run(params, options.is_reversed);
}

}  // namespace penstock::gpu

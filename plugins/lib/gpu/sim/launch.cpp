#include "lib/gpu/sim/launch.h"

#include <algorithm>
#include <utility>

namespace penstock::gpu {

void join(Seen& to, const Seen& more) {
  if (to.size() < more.size()) to.resize(more.size());
  for (std::size_t i = 0; i < more.size(); ++i) {
    to[i] = std::max(to[i], more[i]);
  }
}

SimLaunch::SimLaunch(const Kernel& of_kernel, const Geometry& of_geometry,
                     SimMemory& of_memory)
    : kernel(of_kernel),
      geometry(of_geometry),
      memory(of_memory),
      blocks_(static_cast<std::uint32_t>(of_geometry.grid.count())),
      begin_(of_memory.tick()),
      owners_{0} {}

std::uint32_t SimLaunch::tick(std::uint32_t block) {
  owners_.push_back(block);
  return memory.tick();
}

void SimLaunch::note_reader(const Cell* cell, std::uint32_t moment) {
  Seen& readers = readers_[cell];
  readers.resize(blocks_);
  readers[block_of(moment)] = moment;
}

Seen SimLaunch::take_readers(const Cell* cell) {
  const auto found = readers_.find(cell);
  if (found == readers_.end()) return {};
  Seen out = std::move(found->second);
  readers_.erase(found);
  return out;
}

}  // namespace penstock::gpu

// What the blocks of a simulated launch share: how far each has seen what the
// others did, by vector clocks.
//
// A block's doings between two of its barriers are one moment (SimMemory's
// clock). Another block may use what was done at a moment if it has seen it:
// the one released that, with a fence and a ticket or with a counter, and the
// other took a ticket or awaited the counter later.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "lib/gpu/kernel.h"
#include "lib/gpu/sim/memory.h"

namespace penstock::gpu {

/// By block, the moment up to which its doings are seen; 0: not at all. Empty:
/// nothing is.
using Seen = std::vector<std::uint32_t>;

/// Makes `to` see what `more` does.
void join(Seen& to, const Seen& more);

class SimLaunch {
 public:
  SimLaunch(const Kernel& of_kernel, const Geometry& of_geometry,
            SimMemory& of_memory);

  /// A number in global memory that blocks meet at.
  struct Counter {
    Seen released;  ///< by all who counted so far
    Seen awaited;   ///< when each block last awaited it
  };

  /// A new moment, of this block.
  std::uint32_t tick(std::uint32_t block);
  /// Whether it was before the launch.
  [[nodiscard]] bool is_old(std::uint32_t moment) const {
    return moment < begin_;
  }
  /// Whose a moment of this launch is.
  [[nodiscard]] std::uint32_t block_of(std::uint32_t moment) const {
    return owners_[moment - begin_];
  }
  [[nodiscard]] Counter& counter(const void* at) { return counters_[at]; }
  [[nodiscard]] std::uint32_t blocks() const { return blocks_; }

  /// Remembers that a block reads what one did that it has not seen reading;
  /// a cell has room for the last reader alone.
  void note_reader(const Cell* cell, std::uint32_t moment);
  /// Moments of such readers by block, and forgets them; empty: none.
  [[nodiscard]] Seen take_readers(const Cell* cell);

  const Kernel& kernel;
  const Geometry& geometry;
  SimMemory& memory;

 private:
  std::uint32_t blocks_, begin_;
  std::vector<std::uint32_t> owners_;  ///< block by moment since the launch
  std::unordered_map<const void*, Counter> counters_;
  std::unordered_map<const Cell*, Seen> readers_;
};

}  // namespace penstock::gpu

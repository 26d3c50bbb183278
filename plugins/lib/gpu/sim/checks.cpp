// The checks of SimBlock.
#include <algorithm>

#include "lib/gpu/sim/sim_block.h"

namespace penstock::gpu {
namespace {

int warp_of_id(int thread) {
  return (thread & kWarpThread) != 0 ? thread & (kWarpThread - 1)
                                     : thread / kWarp;
}

std::string thread_name(int thread) {
  if (thread == kManyThreads) return "several warps";
  if ((thread & kWarpThread) != 0) {
    return "warp " + std::to_string(thread & (kWarpThread - 1));
  }
  return "thread " + std::to_string(thread);
}

}  // namespace

void SimBlock::fail_access(const Region& region, const void* at,
                           std::size_t bytes, const std::string& what) {
  const auto offset = static_cast<const std::byte*>(at) - region.begin;
  fail(what + " (" + std::to_string(bytes) + " bytes at byte " +
       std::to_string(offset) + " of " + (region.is_shared ? "shared '" : "'") +
       region.name + "', which has " + std::to_string(region.bytes) + ")");
}

void SimBlock::check_bounds(const Region& region, const void* at,
                            std::size_t bytes, const char* verb) {
  if (region.holds(at, bytes)) return;
  fail_access(region, at, bytes, std::string(verb) + " outside of a buffer");
}

void SimBlock::check_aligned(const Region& region, const void* at,
                             const char* verb, std::size_t multiple) {
  if (reinterpret_cast<std::uintptr_t>(at) % multiple == 0) return;
  fail_access(
      region, at, multiple,
      std::string(verb) + " at no multiple of " + std::to_string(multiple));
}

/// Whether what `other` did at the warp's turn and what the current thread does
/// have no barrier between them, both since the block's last one.
bool SimBlock::is_together(int other, std::uint16_t turn) const {
  if (other == current_) return false;
  if (other == kManyThreads || warp_of_id(other) != warp()) {
    return true;
  }
  return turn == turns_[static_cast<std::size_t>(warp())];
}

/// Whether what another block did then, it released and this thread acquired.
bool SimBlock::has_seen(std::uint32_t moment) const {
  if (launch_.is_old(moment)) return true;
  const std::uint32_t block = launch_.block_of(moment);
  const auto sees = [&](const Seen& seen) {
    return block < seen.size() && moment <= seen[block];
  };
  return block == number_ || sees(seen_) ||
         std::any_of(acquired_.begin(), acquired_.end(), [&](const auto& each) {
           return !is_together(each.thread, each.turn) && sees(each.seen);
         });
}

/// What others see who acquire from this thread: all that it has seen, and what
/// its block did before the last barrier.
Seen SimBlock::releasable() const {
  Seen out = seen_;
  for (const SimAcquired& each : acquired_) {
    if (!is_together(each.thread, each.turn)) join(out, each.seen);
  }
  out.resize(launch_.blocks());
  out[number_] = now_ - 1;
  return out;
}

void SimBlock::acquire(const Seen& seen) {
  acquired_.push_back(
      {current_, turns_[static_cast<std::size_t>(warp())], seen});
}

void SimBlock::check_written_elsewhere(const Region& region, const Cell& cell,
                                       const void* at, std::size_t bytes) {
  if (has_seen(cell.written)) return;
  fail_access(region, at, bytes,
              "uses what another block wrote, without a fence and a ticket, or "
              "a counter, between them");
}

void SimBlock::check_read_elsewhere(const Region& region, const Cell& cell,
                                    const void* at, std::size_t bytes) {
  const Seen others = launch_.take_readers(&cell);
  const bool has_seen_all =
      has_seen(cell.read) &&
      std::all_of(others.begin(), others.end(), [&](std::uint32_t moment) {
        return moment == 0 || has_seen(moment);
      });
  if (has_seen_all) return;
  fail_access(
      region, at, bytes,
      "writes where another block read, without a counter between them");
}

void SimBlock::check_read(Region& region, const void* from, std::size_t bytes) {
  check_bounds(region, from, bytes, "reads");
  const std::uint32_t now = now_;
  const std::uint16_t turn = turns_[static_cast<std::size_t>(warp())];
  Cell* cell = region.cells_of(from);
  for (Cell* end = cell + bytes / kGranule; cell != end; ++cell) {
    if (cell->written == 0) {
      fail_access(region, from, bytes, "reads what nobody wrote");
    }
    if (cell->written == now && is_together(cell->writer, cell->writer_turn)) {
      fail_access(region, from, bytes,
                  "reads what " + thread_name(cell->writer) +
                      " wrote, without a barrier between them");
    }
    if (!region.is_shared) {
      check_written_elsewhere(region, *cell, from, bytes);
      if (launch_.kernel.waits_for_blocks && !has_seen(cell->read)) {
        launch_.note_reader(cell, cell->read);
      }
    }
    const bool is_first = cell->read != now || cell->reader == current_;
    if (is_first) {
      cell->reader = static_cast<std::uint16_t>(current_);
    } else if (warp_of_id(cell->reader) != warp() ||
               cell->reader == kManyThreads) {
      cell->reader = kManyThreads;
    } else {
      cell->reader = static_cast<std::uint16_t>(kWarpThread | warp());
    }
    cell->read = now;
    cell->reader_turn = turn;
  }
}

void SimBlock::check_write(Region& region, const void* to, std::size_t bytes) {
  check_bounds(region, to, bytes, "writes");
  const std::uint32_t now = now_;
  const std::uint16_t turn = turns_[static_cast<std::size_t>(warp())];
  Cell* cell = region.cells_of(to);
  for (Cell* end = cell + bytes / kGranule; cell != end; ++cell) {
    if (cell->written == now && is_together(cell->writer, cell->writer_turn)) {
      fail_access(region, to, bytes,
                  "writes where " + thread_name(cell->writer) +
                      " wrote, without a barrier between them");
    }
    if (cell->read == now && is_together(cell->reader, cell->reader_turn)) {
      fail_access(region, to, bytes,
                  "writes where " + thread_name(cell->reader) +
                      " read, without a barrier between them");
    }
    if (!region.is_shared) {
      check_written_elsewhere(region, *cell, to, bytes);
      check_read_elsewhere(region, *cell, to, bytes);
    }
    if (cell->async_reads != 0) {
      fail_access(region, to, bytes, "writes what a product under way reads");
    }
    cell->written = now;
    cell->writer = static_cast<std::uint16_t>(current_);
    cell->writer_turn = turn;
    cell->writer_fences = self().async_fences;
  }
}

void SimBlock::check_streamed(Region& region, const void* from,
                              std::size_t bytes) {
  check_bounds(region, from, bytes, "reads");
  const Cell* cell = region.cells_of(from);
  for (std::size_t i = 0; i < bytes / kGranule; ++i) {
    if (!launch_.is_old(cell[i].written)) {
      fail_access(region, from, bytes,
                  "streams what was written in this launch");
    }
  }
}

/// What was written before the last barrier is seen by those who take a later
/// ticket; with a ticket taken, this thread sees what others fenced.
void SimBlock::fence() {
  if (self().has_ticket) acquire(self().ticket);
  self().fenced = releasable();
}

SimLaunch::Counter& SimBlock::counter_of(SimPointer<std::uint32_t> counter) {
  Region& region = counter.region();
  check_bounds(region, counter.raw(), sizeof(std::uint32_t), "counts");
  Cell* cell = region.cells_of(counter.raw());
  if (cell[0].written == 0 || cell[1].written == 0) {
    fail_access(region, counter.raw(), sizeof(std::uint32_t),
                "counts with what nobody wrote");
  }
  cell[0] = cell[1] = {.written = 1};
  return launch_.counter(counter.raw());
}

std::uint32_t SimBlock::atomic_wrap(SimPointer<std::uint32_t> at,
                                    std::uint32_t last) {
  SimLaunch::Counter& counter = counter_of(at);
  if (!at.region().is_shared) {
    self().has_ticket = true;
    self().ticket = counter.released;
    join(counter.released, self().fenced);
  }
  const std::uint32_t old = *at.raw();
  *at.raw() = old >= last ? 0 : old + 1;
  return old;
}

void SimBlock::release(SimPointer<std::uint32_t> counter) {
  join(counter_of(counter).released, releasable());
  ++*counter.raw();
}

void SimBlock::await(SimPointer<std::uint32_t> counter, std::uint32_t count,
                     int line) {
  SimLaunch::Counter& met = counter_of(counter);
  self().awaits = {counter.raw(), counter.name(), count};
  while (!self().awaits.is_there()) wait(Wait::kCounter, line);
  acquire(met.released);
  met.awaited.resize(launch_.blocks());
  met.awaited[number_] = now_;
}

void SimBlock::clear(SimPointer<std::uint32_t> counter) {
  SimLaunch::Counter& met = counter_of(counter);
  for (const std::uint32_t moment : met.awaited) {
    if (moment == 0 || has_seen(moment)) continue;
    fail_access(counter.region(), counter.raw(), sizeof(std::uint32_t),
                "clears a counter that another block awaits, without a counter "
                "between them");
  }
  met = {};
  *counter.raw() = 0;
}

void SimBlock::start_copy(Region& to_region, void* to, Region& from_region,
                          const void* from) {
  check_aligned(from_region, from, "copies from");
  check_aligned(to_region, to, "copies");
  check_read(from_region, from, 16);
  check_write(to_region, to, 16);
  // Till it ends there is nothing there.
  Cell* cell = to_region.cells_of(to);
  for (std::size_t i = 0; i < 16 / kGranule; ++i) cell[i].written = 0;
  self().copies.push_back({&to_region, &from_region,
                           static_cast<std::byte*>(to),
                           static_cast<const std::byte*>(from), self().groups});
}

void SimBlock::commit_copies() { ++self().groups; }

void SimBlock::end_copies(int left) {
  Thread& mine = self();
  const auto ends = [&](const SimCopy& copy) {
    return copy.group < mine.groups - left;
  };
  for (const SimCopy& copy : mine.copies) {
    if (!ends(copy)) continue;
    check_write(*copy.to_region, copy.to, 16);
    std::memcpy(copy.to, copy.from, 16);
  }
  mine.copies.erase(
      std::remove_if(mine.copies.begin(), mine.copies.end(), ends),
      mine.copies.end());
}

}  // namespace penstock::gpu

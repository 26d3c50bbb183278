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

/// A granule that another block of this launch wrote may be used after that
/// block's fence, a ticket taken, and a fence of one's own.
void SimBlock::check_other_block(const Region& region, const Cell& cell,
                                 const void* at, std::size_t bytes) {
  if (cell.written < launch_begin_ || cell.written >= spans_.back().begin) {
    return;
  }
  const auto after = std::upper_bound(
      spans_.begin(), spans_.end(), cell.written,
      [](std::uint32_t when, const Span& span) { return when < span.begin; });
  if (has_acquired_ && cell.written < std::prev(after)->released) return;
  fail_access(region, at, bytes,
              "uses what another block wrote, without a fence and a ticket");
}

void SimBlock::check_read(Region& region, const void* from, std::size_t bytes) {
  check_bounds(region, from, bytes, "reads");
  const std::uint32_t now = memory_.now();
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
    if (!region.is_shared) check_other_block(region, *cell, from, bytes);
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
  const std::uint32_t now = memory_.now();
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
      check_other_block(region, *cell, to, bytes);
      if (cell->read >= launch_begin_ && cell->read < spans_.back().begin) {
        fail_access(region, to, bytes, "writes where another block read");
      }
    }
    cell->written = now;
    cell->writer = static_cast<std::uint16_t>(current_);
    cell->writer_turn = turn;
  }
}

void SimBlock::check_streamed(Region& region, const void* from,
                              std::size_t bytes) {
  check_bounds(region, from, bytes, "reads");
  const Cell* cell = region.cells_of(from);
  for (std::size_t i = 0; i < bytes / kGranule; ++i) {
    if (cell[i].written >= launch_begin_) {
      fail_access(region, from, bytes,
                  "streams what was written in this launch");
    }
  }
}

/// What was written before the last barrier is seen by those who take a later
/// ticket; with a ticket taken, this block sees what others fenced.
void SimBlock::fence() {
  fenced_ = memory_.now();
  has_acquired_ = has_taken_ticket_;
}

std::uint32_t SimBlock::atomic_wrap(SimPointer<std::uint32_t> at,
                                    std::uint32_t last) {
  Region& region = at.region();
  check_bounds(region, at.raw(), sizeof(std::uint32_t), "counts");
  Cell* cell = region.cells_of(at.raw());
  if (cell[0].written == 0 || cell[1].written == 0) {
    fail_access(region, at.raw(), sizeof(std::uint32_t),
                "counts with what nobody wrote");
  }
  cell[0] = cell[1] = {.written = 1};
  has_taken_ticket_ = true;
  spans_.back().released = fenced_;
  const std::uint32_t old = *at.raw();
  *at.raw() = old >= last ? 0 : old + 1;
  return old;
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
  Thread& self = state_[static_cast<std::size_t>(current_)];
  self.copies.push_back({&to_region, &from_region, static_cast<std::byte*>(to),
                         static_cast<const std::byte*>(from), self.groups});
}

void SimBlock::commit_copies() {
  ++state_[static_cast<std::size_t>(current_)].groups;
}

void SimBlock::end_copies(int left) {
  Thread& self = state_[static_cast<std::size_t>(current_)];
  const auto ends = [&](const Copy& copy) {
    return copy.group < self.groups - left;
  };
  for (const Copy& copy : self.copies) {
    if (!ends(copy)) continue;
    check_write(*copy.to_region, copy.to, 16);
    std::memcpy(copy.to, copy.from, 16);
  }
  self.copies.erase(
      std::remove_if(self.copies.begin(), self.copies.end(), ends),
      self.copies.end());
}

}  // namespace penstock::gpu

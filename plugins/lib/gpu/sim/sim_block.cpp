#include "lib/gpu/sim/sim_block.h"

#include <algorithm>

namespace penstock::gpu {
namespace {

/// Of shared memory: what matrices of products are turned by.
constexpr std::size_t kSharedAlignment = 1024;

std::byte* aligned(std::byte* at) {
  const auto number = reinterpret_cast<std::uintptr_t>(at);
  return at + (kSharedAlignment - number % kSharedAlignment) % kSharedAlignment;
}

std::string shape(const Dim3& d) {
  return "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " +
         std::to_string(d.z) + ")";
}

}  // namespace

SimBlock::SimBlock(SimLaunch& launch)
    : launch_(launch),
      memory_(launch.memory),
      threads_(static_cast<int>(launch.geometry.block.x)),
      shared_bytes_(launch.geometry.shared_bytes + kSharedAlignment),
      shared_begin_(aligned(shared_bytes_.data())) {
  const Dim3& block = launch.geometry.block;
  const Dim3& grid = launch.geometry.grid;
  if (block.y != 1 || block.z != 1 || block.x % kWarp != 0 || block.x == 0 ||
      block.x > 1024 || grid.count() == 0 || grid.y > 65535 || grid.z > 65535) {
    throw SimError(std::string(launch.kernel.name) +
                   ": no GPU runs a grid of " + shape(grid) + " blocks of " +
                   shape(block) + " threads");
  }
}

void SimBlock::begin(std::uint32_t number, const void* params,
                     bool is_reversed) {
  const Dim3& grid = launch_.geometry.grid;
  number_ = number;
  is_reversed_ = is_reversed;
  has_ended_ = false;
  now_ = launch_.tick(number);
  seen_.clear();
  acquired_.clear();
  turns_.assign(static_cast<std::size_t>(warps()), 0);
  state_.assign(static_cast<std::size_t>(threads_), {});
  for (Thread& thread : state_) {
    thread.index = {number % grid.x, number / grid.x % grid.y,
                    number / grid.x / grid.y};
  }
  shared_.clear();
  groups_.assign(static_cast<std::size_t>(threads_ / kGroup), {});
  shared_task_ = 0;
  error_.clear();
  fibers_.start(threads_,
                [this, params](int thread) { run_thread(thread, params); });
}

void SimBlock::run_thread(int thread, const void* params) {
  try {
    launch_.kernel.simulate(*this, params);
    if (!self().copies.empty()) {
      fail("ends with copies that it did not wait for");
    }
  } catch (const std::exception& error) {
    error_ = error.what();
  }
  state_[static_cast<std::size_t>(thread)].wait = Wait::kEnd;
}

void SimBlock::run_warps() {
  for (int i = 0; i < warps(); ++i) {
    const int warp = is_reversed_ ? warps() - 1 - i : i;
    while (run_warp(warp)) {
    }
    if (!error_.empty()) throw SimError(error_);
  }
}

void SimBlock::advance() {
  do {
    run_warps();
    if (meet_groups()) continue;
    const Wait all = meeting(0, threads_);
    if (all == Wait::kEnd) {
      check_products_ended();
      has_ended_ = true;
      return;
    }
    if (all == Wait::kBlock) {
      for (Thread& thread : state_) thread.wait = Wait::kNone;
      next_moment();
      continue;
    }
    const bool is_awaiting = std::any_of(
        state_.begin(), state_.end(),
        [](const Thread& thread) { return thread.wait == Wait::kCounter; });
    if (!is_awaiting) explain_divergence();
    if (!wake_awaiting()) return;
  } while (true);
}

/// What happened before a barrier, all threads have seen behind it.
void SimBlock::next_moment() {
  now_ = launch_.tick(number_);
  for (const SimAcquired& each : acquired_) join(seen_, each.seen);
  acquired_.clear();
}

bool SimBlock::can_advance() const {
  return std::any_of(state_.begin(), state_.end(), [](const Thread& thread) {
    return thread.wait == Wait::kCounter && thread.awaits.is_there();
  });
}

/// Whether there was one whose counter was raised enough.
bool SimBlock::wake_awaiting() {
  if (!can_advance()) return false;
  for (Thread& thread : state_) {
    if (thread.wait == Wait::kCounter && thread.awaits.is_there()) {
      thread.wait = Wait::kNone;
    }
  }
  return true;
}

void SimBlock::fail_awaiting() {
  const auto thread = std::find_if(
      state_.begin(), state_.end(),
      [](const Thread& each) { return each.wait == Wait::kCounter; });
  current_ = static_cast<int>(thread - state_.begin());
  const SimAwaited& what = thread->awaits;
  const Region* region = memory_.find(what.at);
  const auto offset =
      reinterpret_cast<const std::byte*>(what.at) - region->begin;
  fail("waits in line " + std::to_string(thread->line) + " for a counter, " +
       what.name + " at byte " + std::to_string(offset) + " of '" +
       region->name + "', to become " + std::to_string(what.count) +
       "; it is " + std::to_string(*what.at) + ", and no block goes on");
}

/// Whether the warp's threads met and can go on.
bool SimBlock::run_warp(int warp) {
  const int first = warp * kWarp;
  for (int i = 0; i < kWarp; ++i) {
    const int thread = first + (is_reversed_ ? kWarp - 1 - i : i);
    if (state_[static_cast<std::size_t>(thread)].wait != Wait::kNone) continue;
    current_ = thread;
    fibers_.resume(thread);
    if (!error_.empty()) return false;
  }
  const Wait all = meeting(first, kWarp);
  if (all != Wait::kWarpSync && all != Wait::kExchange) return false;
  if (all == Wait::kWarpSync) ++turns_[static_cast<std::size_t>(warp)];
  for (int i = first; i < first + kWarp; ++i) {
    state_[static_cast<std::size_t>(i)].wait = Wait::kNone;
  }
  return true;
}

SimBlock::Wait SimBlock::meeting(int first, int count) const {
  const Thread& one = state_[static_cast<std::size_t>(first)];
  const bool all =
      std::all_of(state_.begin() + first, state_.begin() + first + count,
                  [&](const Thread& t) {
                    return t.wait == one.wait && t.line == one.line;
                  });
  return all || one.wait == Wait::kEnd ? one.wait : Wait::kNone;
}

/// Says which two threads wait for different things.
void SimBlock::explain_divergence() {
  const auto state = [&](int thread) {
    const Thread& t = state_[static_cast<std::size_t>(thread)];
    static constexpr std::array kNames{"runs",
                                       "waits in sync()",
                                       "waits in sync_warp()",
                                       "waits in a warp operation",
                                       "waits in a warpgroup's operation",
                                       "waits for a counter",
                                       "ended"};
    std::string out = "thread " + std::to_string(thread) + " " +
                      kNames[static_cast<std::size_t>(t.wait)];
    if (t.wait != Wait::kEnd) out += " at line " + std::to_string(t.line);
    return out;
  };
  int odd = 1;
  const Thread& one = state_[0];
  while (odd < threads_ - 1) {
    const Thread& other = state_[static_cast<std::size_t>(odd)];
    if (other.wait != one.wait || other.line != one.line) break;
    ++odd;
  }
  current_ = odd;
  fail("is apart from others: " + state(0) + ", " + state(odd));
}

void SimBlock::wait(Wait kind, int line) {
  self().wait = kind;
  self().line = line;
  const int mine = current_;
  fibers_.pause();
  current_ = mine;
}

void SimBlock::send(const void* bytes, std::size_t count, int line) {
  // Two in turn: who is ahead by one operation spoils nothing.
  std::memcpy(self().sent[++self().exchanges % 2].data(), bytes, count);
  wait(Wait::kExchange, line);
}

const std::byte* SimBlock::received(int lane) const {
  const Thread& other = state_[static_cast<std::size_t>(warp()) * kWarp +
                               static_cast<std::size_t>(lane % kWarp)];
  return other.sent[self().exchanges % 2].data();
}

std::uint32_t SimBlock::ballot(bool value, int line) {
  send(&value, sizeof(value), line);
  std::uint32_t out = 0;
  for (int i = 0; i < kWarp; ++i) {
    const bool theirs = *reinterpret_cast<const bool*>(received(i));
    if (theirs) out |= 1U << i;
  }
  return out;
}

void SimBlock::mma(TileSum& sum, const TileA& a, const TileB& b, int line) {
  std::array<std::uint32_t, 8> both{};
  std::copy_n(a.at, 4, both.begin());
  std::copy_n(b.at, 4, both.begin() + 4);
  send(both.data(), sizeof(both), line);
  // Number k of row (or output) r of 16: who has it, in which register and
  // half.
  const auto number = [&](int r, int k, int which) {
    const int part = which == 0 ? r / 8 + k / 8 * 2 : 4 + r / 8 * 2 + k / 8;
    std::array<std::uint32_t, 8> theirs{};
    std::memcpy(theirs.data(), received(r % 8 * 4 + k % 8 / 2), sizeof(theirs));
    const std::uint32_t two = theirs[static_cast<std::size_t>(part)];
    return to_float(Bf16{static_cast<std::uint16_t>(two >> (k % 2 * 16))});
  };
  for (int i = 0; i < 8; ++i) {
    for (int k = 0; k < 16; ++k) {
      sum.at[i] += number(sum_row(lane(), i), k, 0) *
                   number(sum_output(lane(), i), k, 1);
    }
  }
}

Region& SimBlock::shared_region(int count, std::size_t each, const char* name) {
  Thread& mine = self();
  if (shared_task_ != mine.task) {  // all have left the task before
    shared_.clear();
    shared_task_ = mine.task;
  }
  const std::size_t bytes = static_cast<std::size_t>(count) * each;
  const std::size_t begin = mine.shared_used;
  mine.shared_used += (bytes + 15) / 16 * 16;
  if (mine.shared_used > launch_.geometry.shared_bytes) {
    fail("takes " + std::to_string(mine.shared_used) +
         " bytes of shared memory, with '" + name + "', of " +
         std::to_string(launch_.geometry.shared_bytes));
  }
  const std::size_t index = mine.shared_count++;
  if (index == shared_.size()) {
    auto region = std::make_unique<Region>();
    region->name = name;
    region->begin = shared_begin() + begin;
    region->bytes = bytes;
    region->is_shared = true;
    region->cells.resize((bytes + kGranule - 1) / kGranule);
    shared_.push_back(std::move(region));
  }
  Region& out = *shared_[index];
  if (out.name != name || out.bytes != bytes) {
    fail("takes shared memory as '" + std::string(name) +
         "' that others take as '" + out.name + "'");
  }
  return out;
}

std::string SimBlock::where(int thread) const {
  const Thread& of = state_[static_cast<std::size_t>(thread)];
  const std::string block =
      of.task == 0 ? "block " + shape(of.index)
                   : "block " + std::to_string(number_) + ", task " +
                         std::to_string(of.task) + " " + shape(of.index);
  return std::string(launch_.kernel.name) + ", " + block + ", thread " +
         std::to_string(thread);
}

void SimBlock::fail(const std::string& what) {
  throw SimError(where(current_) + ": " + what);
}

}  // namespace penstock::gpu

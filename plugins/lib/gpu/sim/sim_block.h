// A block of threads on a CPU: what DeviceBlock is on a GPU, with checks.
//
// Threads run one after another, each till the next barrier or warp operation.
// Found as they happen, and thrown as SimError: an access outside of a buffer,
// a read of what nobody wrote, two threads at one place without a barrier
// between them (one writing), two blocks at one place without a fence and a
// ticket, or a counter, between them, barriers that not all threads reach, a
// copy that is used before it was waited for, a counter that nobody raises; and
// of warpgroups' products (groups.h) sums or memory that are touched while they
// are under way, and fences that are missing.
#pragma once

#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "lib/gpu/block.h"
#include "lib/gpu/kernel.h"
#include "lib/gpu/sim/fibers.h"
#include "lib/gpu/sim/groups.h"
#include "lib/gpu/sim/launch.h"
#include "lib/gpu/sim/memory.h"
#include "lib/gpu/sim/sim_thread.h"
#include "lib/gpu/tiles.h"

namespace penstock::gpu {

template <class T>
class SimPointer;

class SimBlock {
 public:
  template <class T>
  using Shared = SimPointer<T>;
  template <class T>
  using Global = SimPointer<T>;

  /// A block of a launch, which outlives it.
  explicit SimBlock(SimLaunch& launch);

  /// Begins block `number` of the grid. `is_reversed`: its last thread first.
  void begin(std::uint32_t number, const void* params, bool is_reversed);
  /// Runs it till it ends, or awaits what other blocks have to count first.
  void advance();
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  /// Whether a counter that it awaits was raised enough.
  [[nodiscard]] bool can_advance() const;
  /// Throws SimError that says what it awaits.
  [[noreturn]] void fail_awaiting();

  [[nodiscard]] int thread() const { return current_; }
  [[nodiscard]] int threads() const { return threads_; }
  [[nodiscard]] int lane() const { return current_ % kWarp; }
  [[nodiscard]] int warp() const { return current_ / kWarp; }
  [[nodiscard]] int warps() const { return threads_ / kWarp; }
  [[nodiscard]] int x() const { return static_cast<int>(self().index.x); }
  [[nodiscard]] int y() const { return static_cast<int>(self().index.y); }
  [[nodiscard]] int z() const { return static_cast<int>(self().index.z); }

  /// Null stays null; other pointers must be into a registered buffer.
  template <class T>
  SimPointer<T> global(T* pointer, const char* name);
  template <class T>
  SimPointer<T> shared(int count, const char* name);

  template <class To, class T>
  SimPointer<To> reuse(SimPointer<T> from, const char* /*name*/) {
    return {this, &from.region(), reinterpret_cast<To*>(from.raw())};
  }

  void wait_previous(int line = __builtin_LINE());
  template <class T>
  void prefetch(SimPointer<T> at) {
    check_bounds(at.region(), at.raw(), sizeof(T), "prefetches");
  }

  void sync(int line = __builtin_LINE()) { wait(Wait::kBlock, line); }
  void sync_warp(int line = __builtin_LINE()) { wait(Wait::kWarpSync, line); }
  template <class T>
  T shuffle_xor(T value, int mask, int line = __builtin_LINE()) {
    return exchange(value, lane() ^ mask, line);
  }
  template <class T>
  T shuffle(T value, int lane, int line = __builtin_LINE()) {
    return exchange(value, lane, line);
  }
  std::uint32_t ballot(bool value, int line = __builtin_LINE());
  bool any(bool value, int line = __builtin_LINE()) {
    return ballot(value, line) != 0;
  }

  void fence();
  std::uint32_t atomic_wrap(SimPointer<std::uint32_t> at, std::uint32_t last);

  void release(SimPointer<std::uint32_t> counter);
  void await(SimPointer<std::uint32_t> counter, std::uint32_t count,
             int line = __builtin_LINE());
  void clear(SimPointer<std::uint32_t> counter);

  // Of a kernel whose blocks do tasks; see DeviceTaskBlock.
  using Handle = SimBlock*;
  static SimBlock& of(Handle block) { return *block; }
  Handle handle() { return this; }
  [[nodiscard]] int own() const { return static_cast<int>(number_); }
  [[nodiscard]] int all() const { return static_cast<int>(launch_.blocks()); }
  void begin_task(int x, int y, int z);
  void begin_task(int x, int y, int z, SimPointer<std::uint32_t> counter,
                  std::uint32_t count);
  void end_task(int line = __builtin_LINE());
  void end_task(SimPointer<std::uint32_t> counter, int line = __builtin_LINE());

  template <class T>
  Wide<std::remove_const_t<T>> load(SimPointer<T> at);
  template <class T>
  Wide<T> stream(SimPointer<const T> at);
  template <class T>
  void store(SimPointer<T> at, const Wide<T>& value);

  template <class T>
  void copy_async(SimPointer<T> to, SimPointer<const T> from);
  void commit_copies();
  template <int kLeft>
  void wait_copies() {
    end_copies(kLeft);
  }

  template <bool kTransposed>
  void load_matrices(SimPointer<const Bf16> row, std::uint32_t (&out)[4],
                     int line = __builtin_LINE());
  void mma(TileSum& sum, const TileA& a, const TileB& b,
           int line = __builtin_LINE());

  // Of warpgroups; see DeviceGroupBlock.
  template <class T>
  [[nodiscard]] std::uint32_t shared_address(SimPointer<T> at) {
    return shared_address_of(at.raw());
  }
  void fence_async() { ++self().async_fences; }
  template <class T>
  void hold(T& numbers) {
    self().held.hold(&numbers, sizeof(numbers));
  }
  void order_sums(int line = __builtin_LINE()) {
    ask_group({.kind = GroupCall::Kind::kOrder}, line);
  }
  void commit_products(int line = __builtin_LINE()) {
    ask_group({.kind = GroupCall::Kind::kCommit}, line);
  }
  template <int kLeft>
  void wait_products(int line = __builtin_LINE()) {
    ask_group({.kind = GroupCall::Kind::kWait, .left = kLeft}, line);
  }
  template <bool kTransposed, int kOutputs>
  void multiply(GroupSum<kOutputs>& sum, GroupMatrix rows, GroupMatrix outputs,
                bool adds, int line = __builtin_LINE());
  template <bool kTransposed, int kOutputs>
  void multiply(GroupSum<kOutputs>& sum, const TileA& rows, GroupMatrix outputs,
                bool adds, int line = __builtin_LINE());

  // For SimPointer.
  void check_read(Region& region, const void* from, std::size_t bytes);
  void check_write(Region& region, const void* to, std::size_t bytes);

 private:
  using Wait = SimWait;
  using Thread = SimThread;

  [[nodiscard]] Thread& self() {
    return state_[static_cast<std::size_t>(current_)];
  }
  [[nodiscard]] Thread& thread_at(int thread) {
    return state_[static_cast<std::size_t>(thread)];
  }
  [[nodiscard]] const Thread& self() const {
    return state_[static_cast<std::size_t>(current_)];
  }
  void run_thread(int thread, const void* params);
  void run_warps();
  bool run_warp(int warp);
  bool wake_awaiting();
  void next_moment();
  /// What threads [first, first + count) all wait for; kNone: not one thing.
  [[nodiscard]] Wait meeting(int first, int count) const;
  [[nodiscard]] std::string where(int thread) const;
  [[noreturn]] void fail(const std::string& what);
  [[noreturn]] void fail_access(const Region& region, const void* at,
                                std::size_t bytes, const std::string& what);
  void explain_divergence();
  void wait(Wait kind, int line);
  Region& shared_region(int count, std::size_t each, const char* name);

  void check_bounds(const Region& region, const void* at, std::size_t bytes,
                    const char* verb);
  void check_aligned(const Region& region, const void* at, const char* verb,
                     std::size_t multiple = 16);
  [[nodiscard]] bool is_together(int other, std::uint16_t turn) const;
  [[nodiscard]] bool has_seen(std::uint32_t moment) const;
  [[nodiscard]] Seen releasable() const;
  void acquire(const Seen& seen);
  void check_written_elsewhere(const Region& region, const Cell& cell,
                               const void* at, std::size_t bytes);
  void check_read_elsewhere(const Region& region, const Cell& cell,
                            const void* at, std::size_t bytes);
  [[nodiscard]] SimLaunch::Counter& counter_of(
      SimPointer<std::uint32_t> counter);
  void check_streamed(Region& region, const void* from, std::size_t bytes);
  void start_copy(Region& to_region, void* to, Region& from_region,
                  const void* from);
  void end_copies(int left);

  [[nodiscard]] std::byte* shared_begin() const { return shared_begin_; }
  [[nodiscard]] std::uint32_t shared_address_of(const void* at);
  void ask_group(const GroupCall& call, int line);
  bool meet_groups();
  void meet_group(SimGroup& group);
  void begin_product(SimGroup& group);
  void check_held(const SimGroup& group, const GroupCall& call);
  void begin_sums(SimGroup& group, const GroupCall& call);
  void end_products(SimGroup& group, int left);
  void do_product(SimGroup& group, const GroupProduct& product);
  void put_tiles(const GroupProduct& product, std::vector<float>& numbers);
  template <class What>
  void for_matrix(const GroupCall& call, What what);
  template <class What>
  void for_numbers(std::uint64_t bits, int rows, bool is_transposed, What what);
  [[nodiscard]] Region& region_of_shared(const std::byte* at);
  void begin_read(Region& region, const std::byte* at);
  void end_read(Region& region, const std::byte* at) const;
  void check_products_ended();

  /// Sends up to 32 bytes to the warp and waits till all have; then
  /// received(lane) has theirs.
  void send(const void* bytes, std::size_t count, int line);
  [[nodiscard]] const std::byte* received(int lane) const;
  template <class T>
  T exchange(T value, int lane, int line) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 32);
    send(&value, sizeof(T), line);
    T out;
    std::memcpy(&out, received(lane), sizeof(T));
    return out;
  }

  SimLaunch& launch_;
  SimMemory& memory_;
  Fibers fibers_;
  int threads_;
  int current_ = 0;
  std::uint32_t number_ = 0;  ///< of the grid
  std::uint32_t now_ = 0;     ///< the moment
  bool is_reversed_ = false, has_ended_ = false;
  Seen seen_;                          ///< by all threads
  std::vector<SimAcquired> acquired_;  ///< since the last barrier
  std::vector<std::uint16_t> turns_;   ///< by warp: barriers that it passed
  std::vector<Thread> state_;
  std::vector<SimGroup> groups_;
  std::vector<std::byte> shared_bytes_;
  std::byte* shared_begin_;  ///< of them, on kSharedAlignment
  std::vector<std::unique_ptr<Region>> shared_;
  int shared_task_ = 0;  ///< whose they are
  std::string error_;
};

}  // namespace penstock::gpu

#include "lib/gpu/sim/sim_block.inl.h"

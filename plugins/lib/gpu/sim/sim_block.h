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

#include <array>
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
#include "lib/gpu/tiles.h"

namespace penstock::gpu {

template <class T>
class SimPointer;

/// Stands for threads in a Cell: several of a warp (| its number), or of
/// several warps. Threads themselves are 0 to 1023.
inline constexpr int kWarpThread = 0x400;
inline constexpr int kManyThreads = 0x7fff;

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
  [[nodiscard]] std::uint32_t shared_address(SimPointer<T> at) const {
    return shared_address_of(at.raw());
  }
  void fence_async() { ++self().async_fences; }
  template <class T>
  void hold(T& /*sums*/) {}
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
  enum class Wait : std::uint8_t {
    kNone,
    kBlock,
    kWarpSync,
    kExchange,
    kWarpgroup,
    kCounter,
    kEnd
  };
  struct Copy {
    Region *to_region, *from_region;
    std::byte* to;
    const std::byte* from;
    int group;
  };
  struct Awaited {
    const std::uint32_t* at = nullptr;
    const char* name = "";
    std::uint32_t count = 0;

    [[nodiscard]] bool is_there() const { return *at >= count; }
  };
  struct Thread {
    Wait wait = Wait::kNone;
    int line = 0;
    unsigned exchanges = 0;
    int groups = 0;  ///< of copies that were committed
    std::size_t shared_used = 0, shared_count = 0;
    std::vector<Copy> copies;
    Dim3 index;    ///< of the block, or of its task
    int task = 0;  ///< which of the block's, from 1; 0: no tasks
    bool is_in_task = false;
    struct {  ///< what it waits for
      Region* region = nullptr;
      std::uint32_t* at = nullptr;
      const char* name = "";
      std::uint32_t count = 0;
    } task_waits;
    Awaited awaits;
    Seen fenced;  ///< what it may release
    Seen ticket;  ///< what it may see behind a fence
    bool has_ticket = false;
    std::uint16_t async_fences = 0;
    GroupCall group_call;
    alignas(16) std::array<std::array<std::byte, 32>, 2> sent{};
  };
  /// What a thread has seen of other blocks, and others not before a barrier.
  struct Acquired {
    int thread;
    std::uint16_t turn;
    Seen seen;
  };

  [[nodiscard]] Thread& self() {
    return state_[static_cast<std::size_t>(current_)];
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
  [[nodiscard]] std::uint32_t shared_address_of(const void* at) const;
  void ask_group(const GroupCall& call, int line);
  bool meet_groups();
  void meet_group(SimGroup& group);
  void begin_product(SimGroup& group);
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
  Seen seen_;                         ///< by all threads
  std::vector<Acquired> acquired_;    ///< since the last barrier
  std::vector<std::uint16_t> turns_;  ///< by warp: barriers that it passed
  std::vector<Thread> state_;
  std::vector<SimGroup> groups_;
  std::vector<std::byte> shared_bytes_;
  std::byte* shared_begin_;  ///< of them, on kSharedAlignment
  std::vector<std::unique_ptr<Region>> shared_;
  int shared_task_ = 0;  ///< whose they are
  std::string error_;
};

/// A place in a buffer; every use of it is checked.
template <class T>
class SimPointer {
 public:
  using Number = std::remove_const_t<T>;
  static_assert(sizeof(T) % kGranule == 0);

  /// What pointer[i] is, where one may write to it.
  class Reference {
   public:
    Reference(const SimPointer& at) : at_(at) {}    // NOLINT(*explicit*)
    operator Number() const { return at_.read(); }  // NOLINT(*explicit*)
    Reference& operator=(Number value) {
      at_.write(value);
      return *this;
    }
    Reference& operator=(const Reference& other) {
      at_.write(static_cast<Number>(other));
      return *this;
    }
    Reference& operator+=(Number value) { return *this = at_.read() + value; }

   private:
    SimPointer at_;
  };

  SimPointer() = default;
  SimPointer(SimBlock* block, Region* region, T* at, const char* name = "")
      : block_(block), region_(region), at_(at), name_(name) {}
  operator SimPointer<const Number>() const {  // NOLINT(*explicit*)
    return {block_, region_, at_, name_};
  }

  [[nodiscard]] SimPointer operator+(std::int64_t n) const {
    return {block_, region_, at_ + n, name_};
  }
  [[nodiscard]] SimPointer operator-(std::int64_t n) const {
    return *this + -n;
  }
  [[nodiscard]] auto operator[](std::int64_t i) const {
    if constexpr (std::is_const_v<T>) {
      return (*this + i).read();
    } else {
      return Reference(*this + i);
    }
  }
  [[nodiscard]] explicit operator bool() const { return at_ != nullptr; }
  friend bool operator==(const SimPointer& p, std::nullptr_t) {
    return p.at_ == nullptr;
  }

  [[nodiscard]] T* raw() const { return at_; }
  [[nodiscard]] Region& region() const { return *region_; }
  /// As global() was told.
  [[nodiscard]] const char* name() const { return name_; }
  [[nodiscard]] Number read() const {
    block_->check_read(*region_, at_, sizeof(T));
    Number out;
    std::memcpy(&out, at_, sizeof(T));
    return out;
  }
  void write(Number value) const {
    block_->check_write(*region_, at_, sizeof(T));
    std::memcpy(at_, &value, sizeof(T));
  }

 private:
  SimBlock* block_ = nullptr;
  Region* region_ = nullptr;
  T* at_ = nullptr;
  const char* name_ = "";
};

}  // namespace penstock::gpu

#include "lib/gpu/sim/sim_block.inl.h"

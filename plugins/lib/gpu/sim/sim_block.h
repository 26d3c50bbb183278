// A block of threads on a CPU: what DeviceBlock is on a GPU, with checks.
//
// Threads run one after another, each till the next barrier or warp operation.
// Found as they happen, and thrown as SimError: an access outside of a buffer,
// a read of what nobody wrote, two threads at one place without a barrier
// between them (one writing), two blocks at one place without a fence and an
// atomic between them, barriers that not all threads reach, a copy that is used
// before it was waited for.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "lib/gpu/block.h"
#include "lib/gpu/kernel.h"
#include "lib/gpu/sim/fibers.h"
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

  SimBlock(const Kernel& kernel, const Geometry& geometry, SimMemory& memory);

  /// Runs all blocks, the last first where `is_reversed`; its threads likewise.
  void run(const void* params, bool is_reversed);

  [[nodiscard]] int thread() const { return current_; }
  [[nodiscard]] int threads() const { return threads_; }
  [[nodiscard]] int lane() const { return current_ % kWarp; }
  [[nodiscard]] int warp() const { return current_ / kWarp; }
  [[nodiscard]] int warps() const { return threads_ / kWarp; }
  [[nodiscard]] int x() const { return static_cast<int>(index_.x); }
  [[nodiscard]] int y() const { return static_cast<int>(index_.y); }
  [[nodiscard]] int z() const { return static_cast<int>(index_.z); }

  /// Null stays null; other pointers must be into a registered buffer.
  template <class T>
  SimPointer<T> global(T* pointer, const char* name);
  template <class T>
  SimPointer<T> shared(int count, const char* name);

  template <class To, class T>
  SimPointer<To> reuse(SimPointer<T> from, const char* /*name*/) {
    return {this, &from.region(), reinterpret_cast<To*>(from.raw())};
  }

  void wait_previous() const {}
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

  // For SimPointer.
  void check_read(Region& region, const void* from, std::size_t bytes);
  void check_write(Region& region, const void* to, std::size_t bytes);

 private:
  enum class Wait : std::uint8_t { kNone, kBlock, kWarpSync, kExchange, kEnd };
  struct Copy {
    Region *to_region, *from_region;
    std::byte* to;
    const std::byte* from;
    int group;
  };
  struct Thread {
    Wait wait = Wait::kNone;
    int line = 0;
    unsigned exchanges = 0;
    int groups = 0;  ///< of copies that were committed
    std::size_t shared_used = 0, shared_count = 0;
    std::vector<Copy> copies;
    alignas(16) std::array<std::array<std::byte, 32>, 2> sent{};
  };
  /// When a block began, and what of it other blocks may see: all before.
  struct Span {
    std::uint32_t begin, released;
  };

  void run_block(const void* params, bool is_reversed);
  void begin_block();
  bool run_warp(int warp, bool is_reversed);
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
  void check_other_block(const Region& region, const Cell& cell, const void* at,
                         std::size_t bytes);
  void check_streamed(Region& region, const void* from, std::size_t bytes);
  void start_copy(Region& to_region, void* to, Region& from_region,
                  const void* from);
  void end_copies(int left);

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

  const Kernel& kernel_;
  Geometry geometry_;
  SimMemory& memory_;
  Fibers fibers_;
  int threads_;
  int current_ = 0;
  Dim3 index_;
  std::uint32_t launch_begin_ = 0;
  std::vector<Span> spans_;   ///< of the blocks that began, in order
  std::uint32_t fenced_ = 0;  ///< when this block fenced
  bool has_taken_ticket_ = false, has_acquired_ = false;
  std::vector<std::uint16_t> turns_;  ///< by warp: barriers that it passed
  std::vector<Thread> state_;
  std::vector<std::byte> shared_bytes_;
  std::vector<std::unique_ptr<Region>> shared_;
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
  SimPointer(SimBlock* block, Region* region, T* at)
      : block_(block), region_(region), at_(at) {}
  operator SimPointer<const Number>() const {  // NOLINT(*explicit*)
    return {block_, region_, at_};
  }

  [[nodiscard]] SimPointer operator+(std::int64_t n) const {
    return {block_, region_, at_ + n};
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
};

}  // namespace penstock::gpu

#include "lib/gpu/sim/sim_block.inl.h"

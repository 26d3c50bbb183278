// The memory that simulated kernels see: buffers that were registered, and for
// every two bytes of them who touched them last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace penstock::gpu {

/// What a kernel did wrong: the kernel, block and thread, the buffer and place
/// in it.
class SimError : public std::runtime_error {
  using runtime_error::runtime_error;
};

/// Bytes that the simulator looks at as one: the smallest number of a kernel.
inline constexpr std::size_t kGranule = 2;

/// Who touched a granule last. Clocks are SimMemory's; 0: never.
struct Cell {
  std::uint32_t written = 0, read = 0;
  std::uint16_t writer = 0, reader = 0;            ///< threads; see SimBlock
  std::uint16_t writer_turn = 0, reader_turn = 0;  ///< of the warp
  std::uint16_t writer_fences = 0;  ///< fence_async() of the writer till then
  std::uint16_t async_reads = 0;    ///< products under way that read it
};

struct Region {
  std::string name;
  std::byte* begin = nullptr;
  std::size_t bytes = 0;
  bool is_shared = false;
  std::vector<Cell> cells;

  [[nodiscard]] bool holds(const void* from, std::size_t count) const;
  [[nodiscard]] Cell* cells_of(const void* from);
};

/// Global memory. Not to be used by two threads at once.
class SimMemory {
 public:
  /// Registers bytes that must stay until remove(). What they hold counts as
  /// never written. Throws std::logic_error where they overlap others.
  void add(void* begin, std::size_t bytes, const std::string& name);
  /// Throws std::logic_error for what was not added.
  void remove(void* begin);
  /// Says that someone other than a kernel (a copy) wrote these bytes. Throws
  /// SimError where they are not in one buffer.
  void set_written(const void* begin, std::size_t bytes);
  /// The buffer that has this byte; null: none.
  [[nodiscard]] Region* find(const void* at);

  /// A moment later than all that were.
  std::uint32_t tick() { return ++clock_; }
  [[nodiscard]] std::uint32_t now() const { return clock_; }

 private:
  std::map<const std::byte*, std::unique_ptr<Region>> regions_;  ///< by begin
  std::uint32_t clock_ = 1;
};

}  // namespace penstock::gpu

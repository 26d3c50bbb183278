// A device that is simulated: its memory is the host's, its kernels run on the
// block simulator. For tests of what a program asks of a device.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "lib/gpu/capturing.h"
#include "lib/gpu/device_api.h"
#include "lib/gpu/sim/memory.h"

namespace penstock::gpu {

/// Finds, and throws Error(kInternal) for: addresses outside of what was
/// allocated, copies from or to host memory that is not pinned, allocations and
/// waits while capturing, more blocks that wait for each other than there are
/// at once. Fresh memory holds what no program wants, 0xff.
class SimulatedApi final : public DeviceApi {
 public:
  struct Options {
    std::int64_t bytes = std::int64_t{1} << 30;  ///< of device memory
    bool has_bf16 = true;
    int driver = 13000;
    /// Nothing happens before a wait, and only then can the device's memory be
    /// touched at all: a wait or a copy that is missing shows.
    bool is_late = false;
    int blocks_at_once = 6;  ///< of any kernel whose blocks wait for each other
  };

  explicit SimulatedApi(const Options& options);
  SimulatedApi() : SimulatedApi(Options{}) {}
  ~SimulatedApi() override;

  [[nodiscard]] DeviceFacts facts() override;
  [[nodiscard]] DeviceMemory memory() override;
  [[nodiscard]] int blocks_at_once(const Kernel& /*kernel*/, int /*threads*/,
                                   unsigned /*shared_bytes*/) override {
    return options_.blocks_at_once;
  }
  [[nodiscard]] void* allocate(std::size_t bytes) override;
  void free(void* memory) noexcept override;
  [[nodiscard]] void* allocate_pinned(std::size_t bytes) override;
  void free_pinned(void* memory) noexcept override;
  void copy_in(void* device, const void* host, std::size_t bytes) override;
  void copy_out(void* host, const void* device, std::size_t bytes) override;
  void copy_within(void* to, const void* from, std::size_t bytes) override;
  void fill(void* device, std::uint8_t byte, std::size_t bytes) override;
  void launch(const Kernel& kernel, const Geometry& geometry,
              std::span<const std::byte> params) override;
  void begin_capture() override;
  [[nodiscard]] Graph end_capture() override;
  void replay(Graph graph) override;
  void destroy(Graph graph) noexcept override;
  void wait() override;
  void mark(int which) override;
  void wait_for(int which) override;

  /// What was allocated and not given back, pinned memory too.
  [[nodiscard]] std::size_t blocks() const {
    return device_.size() + pinned_.size();
  }
  [[nodiscard]] std::size_t graphs() const { return graphs_.size(); }

 private:
  using Work = std::function<void()>;
  using Blocks = std::map<const std::byte*, std::size_t>;  ///< start, bytes

  [[nodiscard]] void* take(Blocks& blocks, std::size_t bytes, bool is_open);
  static void give(Blocks& blocks, void* memory) noexcept;
  static void check(const Blocks& blocks, const void* begin, std::size_t bytes,
                    const char* what);
  void queue(Work work);
  void open(bool is_open) const;
  /// All of it, or the oldest `count` of it.
  void run_queue(std::size_t count);
  void run_queue() { run_queue(queue_.size()); }

  Options options_;
  std::int64_t used_ = 0, allocations_ = 0;
  Blocks device_, pinned_;
  SimMemory seen_;  ///< the device's, as kernels see it
  Capturing capturing_;
  std::deque<Work> queue_;
  std::vector<Work> captured_;
  std::size_t done_ = 0;                        ///< of all that was queued
  std::array<std::size_t, kMarks> marks_ = {};  ///< as many were queued then
  std::map<Graph, std::vector<Work>> graphs_;
  Graph last_graph_ = 0;
};

}  // namespace penstock::gpu

// DeviceApi: all that an engine asks of a device with memory of its own, behind
// one interface, so that the engine is compiled and tested without one.
//
// Forms of it: cudart_api.h (a card), simulated_api.h (host memory, kernels on
// the block simulator, late if wanted); tests put a recording or a failing one
// around them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "lib/gpu/kernel.h"

namespace penstock::gpu {

/// Whether a card of a compute capability has products of warpgroups (groups.h)
/// and runs code for sm_90a: 9.0 and no other, newer ones neither.
[[nodiscard]] constexpr bool has_groups(int major, int minor) {
  return major == 9 && minor == 0;
}
/// Whether it computes in bfloat16 faster than in float; of older ones a
/// product of bfloat16 is many instructions.
[[nodiscard]] constexpr bool has_bf16(int major) { return major >= 8; }

struct DeviceFacts {
  std::string name;  ///< "NVIDIA H200"
  int major = 0;     ///< compute capability, with minor
  int minor = 0;
  int multiprocessors = 0;
  bool has_bf16 = false;    ///< as gpu::has_bf16()
  bool has_groups = false;  ///< as gpu::has_groups()
  int driver = 0;           ///< newest CUDA that its driver runs: 12010 is 12.1
};

/// Why a driver that runs no newer CUDA than `driver` cannot launch the kernel,
/// in a sentence without its end; "": it can.
[[nodiscard]] inline std::string why_not_launched(const Kernel& kernel,
                                                  int driver) {
  if (kernel.params_bytes <= kPlainParams || driver >= kLargeParamsCuda) {
    return "";
  }
  return "the driver runs CUDA " + std::to_string(driver / 1000) + "." +
         std::to_string(driver % 1000 / 10) + " at most, and the kernel " +
         kernel.name + " has " + std::to_string(kernel.params_bytes) +
         " bytes of params, which need 12.1 (R530); install a newer driver";
}

struct DeviceMemory {
  std::int64_t free = 0, total = 0;  ///< bytes
};

/// A device and one queue of work for it. Copies, fills, launches and replays
/// are queued: they happen in their order, any time between the call and the
/// end of the next wait(). Host memory of a copy must be pinned and untouched
/// until then. Between begin_capture() and end_capture() they do not happen at
/// all, they become the graph; allocations, marks and waits are refused
/// meanwhile (capturing.h).
///
/// One thread at a time. Throws Error: kRetry where memory is short,
/// kUnavailable where the device is not there or cannot be used, kInternal for
/// all else, with the call, the device's own name of the error and its words.
class DeviceApi {
 public:
  using Graph = std::uint64_t;  ///< never 0
  static constexpr int kMarks = 2;

  DeviceApi() = default;
  DeviceApi(const DeviceApi&) = delete;
  DeviceApi& operator=(const DeviceApi&) = delete;
  virtual ~DeviceApi() = default;

  [[nodiscard]] virtual DeviceFacts facts() = 0;
  [[nodiscard]] virtual DeviceMemory memory() = 0;

  /// Blocks that are there at once of a kernel whose blocks wait for each
  /// other, with so many threads and bytes of shared memory; 0: the device
  /// cannot say that they are. launch() refuses more.
  [[nodiscard]] virtual int blocks_at_once(const Kernel& kernel, int threads,
                                           unsigned shared_bytes) = 0;

  /// Device memory, aligned to 256 bytes, of at least one byte.
  [[nodiscard]] virtual void* allocate(std::size_t bytes) = 0;
  virtual void free(void* memory) noexcept = 0;
  /// Host memory that the device copies from and to by itself.
  [[nodiscard]] virtual void* allocate_pinned(std::size_t bytes) = 0;
  virtual void free_pinned(void* memory) noexcept = 0;

  virtual void copy_in(void* device, const void* host, std::size_t bytes) = 0;
  virtual void copy_out(void* host, const void* device, std::size_t bytes) = 0;
  /// From device memory to device memory that does not overlap it.
  virtual void copy_within(void* to, const void* from, std::size_t bytes) = 0;
  virtual void fill(void* device, std::uint8_t byte, std::size_t bytes) = 0;
  /// `params`: the kernel's struct, copied before the call returns.
  virtual void launch(const Kernel& kernel, const Geometry& geometry,
                      std::span<const std::byte> params) = 0;

  virtual void begin_capture() = 0;
  [[nodiscard]] virtual Graph end_capture() = 0;
  virtual void replay(Graph graph) = 0;
  /// Whatever it was queued for must be over.
  virtual void destroy(Graph graph) noexcept = 0;

  /// Returns when all that was queued is done.
  virtual void wait() = 0;
  /// Remembers, as one of kMarks, what is queued so far.
  virtual void mark(int which) = 0;
  /// Returns when what a mark remembers is done; what is behind it goes on.
  virtual void wait_for(int which) = 0;
};

/// A kernel's one argument as launch() takes it.
template <class Params>
[[nodiscard]] std::span<const std::byte> bytes_of(const Params& params) {
  return std::as_bytes(std::span(&params, 1));
}

/// Memory that is given back.
template <void* (DeviceApi::*kTake)(std::size_t),
          void (DeviceApi::*kGive)(void*) noexcept>
class Owned {
 public:
  Owned() = default;
  Owned(DeviceApi& api, std::size_t bytes)
      : api_(&api), data_((api.*kTake)(bytes)), bytes_(bytes) {}
  Owned(Owned&& other) noexcept { swap(other); }
  Owned& operator=(Owned&& other) noexcept {
    Owned(std::move(other)).swap(*this);
    return *this;
  }
  ~Owned() {
    if (data_ != nullptr) (api_->*kGive)(data_);
  }

  /// Its start, `offset` bytes into it.
  template <class T = std::byte>
  [[nodiscard]] T* as(std::size_t offset = 0) const {
    return reinterpret_cast<T*>(static_cast<std::byte*>(data_) + offset);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void swap(Owned& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  DeviceApi* api_ = nullptr;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

using Memory = Owned<&DeviceApi::allocate, &DeviceApi::free>;
using Pinned = Owned<&DeviceApi::allocate_pinned, &DeviceApi::free_pinned>;

}  // namespace penstock::gpu

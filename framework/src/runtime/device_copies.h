// DeviceCopies: copies between the CPU's memory and a device's, which the
// device makes by itself, in the order in which it was given them and all else.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>

namespace penstock {

/// One thread at a time: the device's.
class DeviceCopies {
 public:
  DeviceCopies() = default;
  DeviceCopies(const DeviceCopies&) = delete;
  DeviceCopies& operator=(const DeviceCopies&) = delete;
  virtual ~DeviceCopies() = default;

  /// A tensor like that one in memory of the CPU which the device can read and
  /// write. Memory that nobody holds and no copy uses any more is given again:
  /// where shapes repeat, nothing is allocated.
  [[nodiscard]] virtual at::Tensor pinned(const at::Tensor& like) = 0;
  [[nodiscard]] virtual at::Tensor on_device(const at::Tensor& like) = 0;
  /// Whether the tensor is in the device's memory.
  [[nodiscard]] virtual bool has(const at::Tensor& tensor) const = 0;
  /// Asks for a copy. What the device is given afterwards finds it done; the
  /// CPU after wait(). Both tensors may be let go of at once.
  virtual void enqueue(const at::Tensor& from, const at::Tensor& to) = 0;
  /// Returns when the device has done all that it was given.
  virtual void wait() = 0;
};

/// libtorch's: on the thread's stream, with its allocator of pinned memory.
/// null for the CPU, and for a device that this libtorch knows nothing of:
/// engines have their own way there.
[[nodiscard]] std::unique_ptr<DeviceCopies> device_copies(at::Device device);

}  // namespace penstock

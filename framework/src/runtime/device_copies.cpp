#include "runtime/device_copies.h"

#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace penstock {
namespace {

/// CUDA's own, by what libtorch has for all kinds of devices.
class AtenCopies final : public DeviceCopies {
 public:
  explicit AtenCopies(at::Device device)
      : device_(device), guard_(device.type()) {}

  at::Tensor pinned(const at::Tensor& like) override {
    return at::empty(
        like.sizes(),
        at::TensorOptions().dtype(like.scalar_type()).pinned_memory(true));
  }
  at::Tensor on_device(const at::Tensor& like) override {
    return at::empty(like.sizes(), like.options().device(device_));
  }
  [[nodiscard]] bool has(const at::Tensor& tensor) const override {
    return tensor.device() == device_;
  }
  void enqueue(const at::Tensor& from, const at::Tensor& to) override {
    to.copy_(from, /*non_blocking=*/true);
  }
  void wait() override { guard_.synchronizeStream(guard_.getStream(device_)); }

 private:
  at::Device device_;
  c10::impl::VirtualGuardImpl guard_;
};

}  // namespace

std::unique_ptr<DeviceCopies> device_copies(at::Device device) {
  if (device.is_cpu() || !c10::impl::hasDeviceGuardImpl(device.type())) {
    return nullptr;
  }
  return std::make_unique<AtenCopies>(device);
}

}  // namespace penstock

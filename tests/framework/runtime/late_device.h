// A device that does nothing before somebody waits for it. Its tensors are
// libtorch's of the device "meta", which have no memory that anybody could read
// by mistake; what was not copied from it yet is NaN, or -1.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>

#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "runtime/device_copies.h"

namespace penstock::testing {

/// As a GPU's queue, what was asked for is done at last by wait(), in its
/// order.
class LateDevice {
 public:
  /// An operation on the device.
  void give(std::function<void()> work) { queue_.push_back(std::move(work)); }
  void wait() {
    ++waits_;
    while (!queue_.empty()) {
      const auto work = std::move(queue_.front());
      queue_.pop_front();
      work();
    }
  }

  /// Its memory is not written yet.
  at::Tensor made_there(const at::Tensor& like) {
    const at::Tensor made =
        at::empty_like(like, like.options().device(at::kMeta));
    memory_[made.unsafeGetTensorImpl()] = {made, unwritten(like)};
    return made;
  }
  /// A tensor that its kernels give this value to.
  at::Tensor will_be(const at::Tensor& value) {
    const at::Tensor made = made_there(value);
    give([this, made, value] { memory(made).copy_(value); });
    return made;
  }
  /// For its own operations: what a tensor there holds.
  at::Tensor& memory(const at::Tensor& there) {
    return memory_.at(there.unsafeGetTensorImpl()).second;
  }

  /// Of blocks that nobody holds, the queue neither, or a new one.
  at::Tensor pinned(const at::Tensor& like) {
    for (at::Tensor& block : pool_) {
      const bool is_like = block.sizes() == like.sizes() &&
                           block.scalar_type() == like.scalar_type();
      if (block.use_count() == 1 && is_like) return block.fill_(fresh(like));
    }
    return pool_.emplace_back(unwritten(like));
  }
  [[nodiscard]] std::size_t allocated() const { return pool_.size(); }
  [[nodiscard]] int waits() const { return waits_; }

 private:
  static at::Scalar fresh(const at::Tensor& like) {
    if (!like.is_floating_point()) return -1;
    return std::numeric_limits<float>::quiet_NaN();
  }
  static at::Tensor unwritten(const at::Tensor& like) {
    return at::full(like.sizes(), fresh(like), like.scalar_type());
  }

  std::deque<std::function<void()>> queue_;
  std::deque<at::Tensor> pool_;
  /// Kept as long as the device, so that no tensor has another's address.
  std::map<const void*, std::pair<at::Tensor, at::Tensor>> memory_;
  int waits_ = 0;
};

class LateCopies final : public DeviceCopies {
 public:
  explicit LateCopies(LateDevice& device) : device_(device) {}

  at::Tensor pinned(const at::Tensor& like) override {
    return device_.pinned(like);
  }
  at::Tensor on_device(const at::Tensor& like) override {
    return device_.made_there(like);
  }
  [[nodiscard]] bool has(const at::Tensor& tensor) const override {
    return tensor.is_meta();
  }
  void enqueue(const at::Tensor& from, const at::Tensor& to) override {
    device_.give([this, from, to] { at(to).copy_(at(from)); });
  }
  void wait() override { device_.wait(); }

 private:
  [[nodiscard]] at::Tensor at(const at::Tensor& tensor) const {
    return has(tensor) ? device_.memory(tensor) : tensor;
  }
  LateDevice& device_;
};

}  // namespace penstock::testing

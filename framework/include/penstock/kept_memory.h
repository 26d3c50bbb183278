// Memory of tensors that come anew with each step, used again once nobody has
// them any more: fresh memory costs page faults, 1 ms for 3 MB, as much as a
// small model.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "penstock/export.h"

namespace penstock {

/// Any thread. What it gave may outlive it.
class PENSTOCK_API KeptMemory {
 public:
  /// At most so many bytes that nobody has are kept, the most recently freed.
  explicit KeptMemory(std::int64_t most = std::int64_t{64} << 20U);

  /// Uninitialised, contiguous, on the CPU.
  [[nodiscard]] at::Tensor empty(at::IntArrayRef sizes,
                                 at::ScalarType dtype) const;

 private:
  struct Free;
  std::shared_ptr<Free> free_;
};

}  // namespace penstock

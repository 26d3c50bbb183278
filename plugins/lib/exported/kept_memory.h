// Memory of a model's inputs and answers, used again once nobody has it any
// more: fresh memory costs page faults, 1 ms for 3 MB, as much as a small
// model.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

namespace penstock::exported {

/// Any thread. What it gave may outlive it.
class KeptMemory {
 public:
  /// At most `most` pieces that nobody has are kept.
  explicit KeptMemory(std::size_t most);

  /// Uninitialised, contiguous, on the CPU.
  [[nodiscard]] at::Tensor empty(at::IntArrayRef sizes,
                                 at::ScalarType dtype) const;

 private:
  struct Free;
  std::shared_ptr<Free> free_;
};

}  // namespace penstock::exported

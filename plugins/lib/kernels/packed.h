// Packs a matrix of a weight file into panels (kernels.h). Codes and scales are
// moved, never changed: a packed number is the file's number exactly.
#pragma once

#include "lib/kernels/buffer.h"
#include "lib/kernels/kernels.h"
#include "penstock/weights.h"

namespace penstock::kernels {

/// Number type that an engine computes in.
enum class ComputeType : std::uint8_t {
  kInt8,  ///< quantised weights by 8-bit activations
  kBf16,  ///< bfloat16 by bfloat16
  kF32,   ///< bfloat16 or float by float
};

class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// kInt8 takes quantised tensors only. Throws Error(kData) for numbers that
  /// are not finite.
  PackedMatrix(const WeightTensor& tensor, ComputeType mode);

  [[nodiscard]] const Panels& panels() const { return panels_; }
  [[nodiscard]] std::int64_t bytes() const {
    return static_cast<std::int64_t>(buffer_.size());
  }
  /// Bytes that packing will take.
  [[nodiscard]] static std::int64_t bytes(const WeightTensor& tensor,
                                          ComputeType mode);

 private:
  Panels panels_;
  Buffer buffer_;
};

/// Tells the system that pages of a mapped file need not stay in memory. Never
/// call it for a tensor in other memory, which it would empty.
void discard_pages(const WeightTensor& tensor);

}  // namespace penstock::kernels

// A score with its token as one number, of which the larger is the better: the
// upper half orders scores, the lower half prefers low tokens. 0 is none.
#pragma once

#include "lib/gpu/block.h"

namespace penstock::gemma::cuda {

/// Ordered as the floats are, -0 as 0; NaN, of either sign, is above them all.
PENSTOCK_GPU_HOST std::uint32_t order_of(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return 0xfffffffeU;
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

PENSTOCK_GPU_HOST float score_of(std::uint32_t order) {
  return std::bit_cast<float>((order & 0x80000000U) != 0 ? order & 0x7fffffffU
                                                         : ~order);
}

PENSTOCK_GPU_HOST std::uint64_t pack(float score, std::int32_t token) {
  return std::uint64_t{order_of(score)} << 32 |
         ~static_cast<std::uint32_t>(token);
}
PENSTOCK_GPU_HOST float packed_float(std::uint64_t packed) {
  return score_of(static_cast<std::uint32_t>(packed >> 32));
}
PENSTOCK_GPU_HOST std::int32_t packed_id(std::uint64_t packed) {
  return static_cast<std::int32_t>(~static_cast<std::uint32_t>(packed));
}

}  // namespace penstock::gemma::cuda

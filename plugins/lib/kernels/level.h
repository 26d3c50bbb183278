// Helpers of the files that are compiled once per instruction set.
// PENSTOCK_LEVEL is the namespace of the level being compiled; everything in it
// is inlined or local, so that no function compiled for a newer processor can
// be linked into code for all.
#pragma once

#include <bit>
#include <cstdint>

#ifndef PENSTOCK_LEVEL
#error "compile through kernels_*.cpp, which name the level"
#endif

#define PENSTOCK_LANE [[gnu::always_inline]] static inline

namespace penstock::kernels::PENSTOCK_LEVEL {

/// Four bytes read as one number, at any address.
using Packed4 [[gnu::aligned(1), gnu::may_alias]] = std::int32_t;

using Packed2 [[gnu::aligned(1), gnu::may_alias]] = std::uint16_t;

PENSTOCK_LANE float bf16_to_float(std::uint16_t x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16U);
}

/// Nearest, ties to even.
PENSTOCK_LANE std::uint16_t float_to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >>
                                    16U);
}

/// Finite ones.
PENSTOCK_LANE float half_to_float(std::uint16_t x) {
  const std::uint32_t sign = (x & 0x8000U) << 16U;
  // The exponent moves by multiplying, which makes subnormals right as well.
  const float size = std::bit_cast<float>((x & 0x7FFFU) << 13U) * 0x1p112F;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) | sign);
}

}  // namespace penstock::kernels::PENSTOCK_LEVEL

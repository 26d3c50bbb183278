// The two 16-bit float types, converted exactly, in loops a compiler can
// vectorise on any x86-64: no F16C, no tables.

#pragma once

#include <bit>
#include <cstdint>

namespace penstock::weights {

/// IEEE binary16 to float. Exact; does not depend on the denormal mode.
inline float half_to_float(std::uint16_t half) {
  constexpr std::uint32_t kRebias = (127U - 15U) << 23U;
  constexpr std::uint32_t kSmallestNormal = kRebias + (1U << 23U);  // 2^-14
  const std::uint32_t sign = (half & 0x8000U) << 16U;
  const std::uint32_t magnitude = (half & 0x7fffU) << 13U;
  const std::uint32_t exponent = half & 0x7c00U;
  // NaN and infinity are moved a second time, to the largest exponent.
  const std::uint32_t normal =
      magnitude + kRebias + (exponent == 0x7c00U ? kRebias : 0U);
  // A subnormal m * 2^-24 is (2^-14 + m * 2^-24) - 2^-14.
  const auto subnormal = std::bit_cast<std::uint32_t>(
      std::bit_cast<float>(magnitude | kSmallestNormal) -
      std::bit_cast<float>(kSmallestNormal));
  return std::bit_cast<float>(sign | (exponent == 0U ? subnormal : normal));
}

/// True unless `half` is NaN or infinite.
inline bool half_is_finite(std::uint16_t half) {
  return (half & 0x7c00U) != 0x7c00U;
}

inline float bf16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

/// The upper half of a finite float, rounded to nearest, ties to even.
inline std::uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >>
                                    16U);
}

}  // namespace penstock::weights

// 16-bit floats of the packed matrices.
#pragma once

#include <bit>
#include <cstdint>

namespace penstock::kernels {

/// Finite ones.
[[nodiscard]] inline float half_to_float(std::uint16_t x) {
  const std::uint32_t sign = (x & 0x8000U) << 16U;
  // The exponent moves by multiplying, which makes subnormals right as well.
  const float size = std::bit_cast<float>((x & 0x7FFFU) << 13U) * 0x1p112F;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) | sign);
}

/// Towards zero; exact where a half can be.
[[nodiscard]] inline std::uint16_t float_to_half(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16U & 0x8000U;
  const float size = std::bit_cast<float>(bits & 0x7FFFFFFFU) * 0x1p-112F;
  return static_cast<std::uint16_t>(sign |
                                    std::bit_cast<std::uint32_t>(size) >> 13U);
}

[[nodiscard]] inline std::uint16_t float_to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >>
                                    16U);
}

}  // namespace penstock::kernels

#include "weights/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace penstock::weights {
namespace {

// The definition: sign * 2^exponent * fraction.
double half_by_definition(std::uint16_t half) {
  const int exponent = (half >> 10U) & 31;
  const int fraction = half & 1023;
  const double sign = (half & 0x8000U) != 0 ? -1.0 : 1.0;
  if (exponent == 31) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST(Half, EveryValueIsConvertedExactly) {
  for (unsigned i = 0; i <= 0xffffU; ++i) {
    const auto half = static_cast<std::uint16_t>(i);
    const auto want = static_cast<float>(half_by_definition(half));
    const float got = half_to_float(half);
    if (std::isnan(want)) {
      EXPECT_TRUE(std::isnan(got)) << i;
    } else {
      // Bits, so that the sign of a zero counts.
      EXPECT_EQ(std::bit_cast<std::uint32_t>(got),
                std::bit_cast<std::uint32_t>(want))
          << i;
    }
    EXPECT_EQ(half_is_finite(half), std::isfinite(want)) << i;
  }
}

TEST(Bf16, TiesGoToTheEvenNeighbour) {
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f808000U)), 0x3f80);
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f818000U)), 0x3f82);
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f808001U)), 0x3f81);
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0xbf807fffU)), 0xbf80);
  EXPECT_EQ(float_to_bf16(-0.0F), 0x8000);
}

TEST(Bf16, EveryFiniteValueSurvivesTheWayThroughFloat) {
  for (unsigned i = 0; i <= 0xffffU; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    if (!std::isfinite(bf16_to_float(bits))) continue;
    EXPECT_EQ(float_to_bf16(bf16_to_float(bits)), bits);
  }
}

}  // namespace
}  // namespace penstock::weights

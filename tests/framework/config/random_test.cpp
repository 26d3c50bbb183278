// Random numbers by place: the published values, and one number a place.
#include "penstock/random.h"

#include <gtest/gtest.h>

#include <cmath>

namespace penstock {
namespace {

/// The first numbers that SplitMix64 gives from the seed 1234567, as its
/// authors' C code prints them: its state grows by the golden ratio.
TEST(SplitMix64, GivesThePublishedNumbers) {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15U;
  constexpr std::uint64_t kSeed = 1234567;
  EXPECT_EQ(splitmix64(kSeed), 6457827717110365317U);
  EXPECT_EQ(splitmix64(kSeed + kGolden), 3203168211198807973U);
  EXPECT_EQ(splitmix64(kSeed + 2 * kGolden), 9817491932198370423U);
}

TEST(Uniform, DependsOnEachNumberAndOnTheirOrder) {
  EXPECT_EQ(uniform(1, 2, 3), uniform(1, 2, 3));
  EXPECT_NE(uniform(1, 2, 3), uniform(2, 2, 3));
  EXPECT_NE(uniform(1, 2, 3), uniform(1, 3, 3));
  EXPECT_NE(uniform(1, 2, 3), uniform(1, 2, 4));
  EXPECT_NE(uniform(1, 2, 3), uniform(1, 3, 2));
}

TEST(Uniform, IsUniform) {
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 100000;
  for (int i = 0; i < kCount; ++i) {
    const double x = uniform(7, 0, i);
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    sum += x;
    squares += x * x;
  }
  // Five standard errors of each.
  EXPECT_NEAR(sum / kCount, 0.5, 5 * 0.2887 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 1 / 3., 5 * 0.2981 / std::sqrt(kCount));
}

}  // namespace
}  // namespace penstock

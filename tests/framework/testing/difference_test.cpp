// difference() says where tensors are apart, and nothing of rounding.
#include "penstock/testing/difference.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

TEST(Difference, LeavesRoundingAlone) {
  const auto wanted = at::tensor({1.F, -2.F, 3.F});
  const auto got = at::tensor({std::nextafter(1.F, 2.F), -2.F, 3.F});
  EXPECT_EQ(difference(got, wanted), "");
}

TEST(Difference, SaysHowManyAndWhere) {
  const auto wanted = at::zeros({2, 3, 4}) + 1;
  auto got = wanted.clone();
  got[0][2][1] = 1.5;
  got[1][0][3] = -7;
  const std::string told = difference(got, wanted);
  EXPECT_THAT(told, HasSubstr("2 of 24 elements of Float[2, 3, 4]"));
  EXPECT_THAT(told, HasSubstr("the first at [0, 2, 1]: 1.5, expected 1"));
  EXPECT_THAT(told, HasSubstr("at [1, 0, 3]: -7, expected 1"));
}

TEST(Difference, AllowsMoreWhereMoreWasSummed) {
  const auto wanted = at::full({4}, 1.0, at::kFloat);
  const auto got = wanted + 2e-6;
  EXPECT_NE(difference(got, wanted), "");
  EXPECT_EQ(difference(got, wanted, {.terms = 10'000}), "");
}

TEST(Difference, TakesTheCoarserDtype) {
  const auto wanted = at::full({4}, 1.0, at::kFloat);
  const auto got = (wanted * 1.01).to(at::kBFloat16);
  EXPECT_EQ(difference(got, wanted), "");
  EXPECT_NE(difference(wanted * 1.01, wanted), "");
}

TEST(Difference, WantsIntegersToBeEqual) {
  const auto wanted = at::tensor({1, 2});
  EXPECT_EQ(difference(wanted, wanted), "");
  EXPECT_THAT(difference(at::tensor({1, 3}), wanted), HasSubstr("[1]: 3"));
}

TEST(Difference, KnowsNanAndInfinity) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto wanted = at::tensor({nan, infinity, 1.F});
  EXPECT_EQ(difference(wanted, wanted), "");
  EXPECT_NE(difference(at::tensor({0.F, infinity, 1.F}), wanted), "");
  EXPECT_NE(difference(at::tensor({nan, -infinity, 1.F}), wanted), "");
  EXPECT_NE(difference(at::tensor({nan, infinity, nan}), wanted), "");
}

TEST(Difference, NamesBothShapes) {
  EXPECT_EQ(difference(at::zeros({2, 3}), at::zeros({3, 2})),
            "it is Float[2, 3], expected Float[3, 2]");
  EXPECT_EQ(difference({}, at::zeros({1})),
            "it is undefined, expected Float[1]");
}

TEST(Difference, ComparesEmptyTensorsAndScalars) {
  EXPECT_EQ(difference(at::zeros({0}), at::zeros({0})), "");
  EXPECT_EQ(difference(at::zeros({}), at::zeros({})), "");
  EXPECT_THAT(difference(at::zeros({}) + 1, at::zeros({})),
              HasSubstr("1 of 1 elements"));
}

}  // namespace
}  // namespace penstock::testing

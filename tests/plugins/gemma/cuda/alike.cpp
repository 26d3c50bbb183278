#include "tests/plugins/gemma/cuda/alike.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

namespace penstock::gemma::cuda {

double worst(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

void expect_alike(const at::Tensor& got, const at::Tensor& wanted,
                  const std::string& what) {
  ASSERT_EQ(got.defined(), wanted.defined()) << what;
  if (!got.defined()) return;
  ASSERT_EQ(got.sizes(), wanted.sizes()) << what;
  ASSERT_EQ(got.scalar_type(), wanted.scalar_type()) << what;
  EXPECT_TRUE(got.allclose(wanted, kTolerance, kTolerance, /*equal_nan=*/true))
      << what << " differ by " << worst(got, wanted);
}

void expect_alike(const Scores& got, const Scores& wanted) {
  if (got.ids.defined() && wanted.ids.defined()) {
    EXPECT_TRUE(got.ids.equal(wanted.ids)) << "ids";
  }
  expect_alike(got.values, wanted.values, "values");
  expect_alike(got.full, wanted.full, "full");
  expect_alike(got.at, wanted.at, "at");
  expect_alike(got.norm, wanted.norm, "norm");
  expect_alike(got.follow, wanted.follow, "follow");
  expect_alike(got.hidden, wanted.hidden, "hidden");
}

}  // namespace penstock::gemma::cuda

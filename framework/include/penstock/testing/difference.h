// Tensors that should be the same up to rounding. Link penstock::testing.
//
//   EXPECT_EQ(difference(got, wanted, {.terms = 768}), "");
//
// What a failed test prints says how many elements are outside, where the first
// and the worst of them stand, both values and the tolerance.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace penstock::testing {

/// How far two tensors may be apart. An element is near where
///
///   |got - wanted| <= epsilon * (2 + sqrt(terms)) * (|wanted| + rms(wanted))
///
/// with the epsilon of the coarser of the two dtypes: rounding errors of a sum
/// grow as the root of its length, and where large terms cancel, as the size of
/// the others. Integers and bools must be equal; NaN is near NaN alone, an
/// infinity near itself.
struct Rounding {
  std::int64_t terms = 1;  ///< products that were summed for an element
  double factor = 1;       ///< of the whole; say why where it is not 1
};

/// What is wrong with `got`: "" where it has the shape of `wanted` and is near
/// it. Of floating point the dtypes may differ.
[[nodiscard]] std::string difference(const at::Tensor& got,
                                     const at::Tensor& wanted,
                                     const Rounding& rounding = {});

}  // namespace penstock::testing

// Where two runs part: the first value that differs by more than rounding.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline_run/compare/records.h"

namespace penstock::run {

/// Where two tensors are furthest apart, by |a - b| over the greater of |b| and
/// the root of b's mean square: a number near 0 between large ones is rounded
/// as they are.
struct Distance {
  double worst = 0;  ///< infinite where just one of them is finite
  std::vector<std::int64_t> position = {};
  double a = 0, b = 0;
  std::int64_t not_finite_a = 0, not_finite_b = 0;
  /// The first value of either that is not finite.
  std::vector<std::int64_t> first_not_finite = {};
  double not_finite_value_a = 0, not_finite_value_b = 0;
};
/// Of the same shape, with at least one value.
[[nodiscard]] Distance distance(const at::Tensor& a, const at::Tensor& b);

struct Comparison {
  /// A line for each tensor that both have: where, name, how far apart.
  struct Line {
    std::string where, name;
    double worst = 0;
  };
  std::vector<Line> lines;
  /// What differs, in words; nothing: all within the tolerance.
  std::optional<std::string> difference;
  /// Where they part although no score differs by more than the tolerance.
  std::optional<std::string> near_tie;
};

/// Compares until they part. -inf and NaN at the same place of both are alike;
/// they are told of unless they are -inf scores.
[[nodiscard]] Comparison compare(const std::vector<Record>& a,
                                 const std::vector<Record>& b,
                                 double tolerance);

}  // namespace penstock::run

// Numbers of many runs: percentiles, where a warm-up ends, how much faster one
// of two is and how sure that is.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace penstock::bench {

/// The value that a share of them, 0..1, does not exceed: linear between the
/// ordered values, as numpy.percentile. 0 for none.
[[nodiscard]] double percentile(std::vector<double> values, double share);
[[nodiscard]] double median(const std::vector<double>& values);
/// 0 for none.
[[nodiscard]] double mean(std::span<const double> values);

/// How many of the first times are a warm-up: the cut of at most half of them
/// that makes the standard error of the rest least (the marginal standard error
/// rule: K. P. White Jr., An effective truncation heuristic for bias reduction
/// in simulation output, Simulation 69, 1997), where what is cut was slower
/// than three quarters of the rest. The last keeps it from cutting what is
/// noise.
[[nodiscard]] std::size_t warm_from(std::span<const double> times);

/// How many times as fast, and the interval that has the true value in 95 of
/// 100 such measurements.
struct Ratio {
  double value = 1, low = 1, high = 1;
  std::size_t pairs = 0;
  /// Whether the interval leaves 1 out.
  [[nodiscard]] bool is_clear() const { return low > 1 || high < 1; }
};

/// Of times that were measured in pairs: the geometric mean of base / other,
/// and a bootstrap interval of the pairs' logarithms: the expanded percentile
/// interval (T. C. Hesterberg, What Teachers Should Know About the Bootstrap,
/// The American Statistician 69, 2015), which is honest for few pairs where the
/// plain one is too narrow. The same numbers give the same interval. Pairs with
/// a time of 0 are left out.
[[nodiscard]] Ratio paired_ratio(std::span<const double> base,
                                 std::span<const double> other);

}  // namespace penstock::bench

#include "pipeline_bench/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace penstock::bench {
namespace {

constexpr int kResamples = 10000;

/// Student's t that 97.5 % of values do not exceed, by degrees of freedom.
double student(std::size_t freedom) {
  static constexpr std::array kTable{
      12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
      2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
      2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
  if (freedom <= kTable.size()) return kTable.at(freedom - 1);
  return 1.96 + 2.46 / static_cast<double>(freedom);  // to 0.0003
}

/// The share of a normal distribution below x.
double normal(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

/// Means of values drawn with replacement, sorted.
std::vector<double> resampled_means(const std::vector<double>& values) {
  std::mt19937_64 random(20150101);  // NOLINT(*-msc51-cpp): told as repeatable
  std::vector<double> means;
  means.reserve(kResamples);
  for (int i = 0; i < kResamples; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
      sum += values[random() % values.size()];
    }
    means.push_back(sum / static_cast<double>(values.size()));
  }
  std::sort(means.begin(), means.end());
  return means;
}

/// The squared standard error of the mean, up to a constant.
double error_of(std::span<const double> values) {
  const double middle = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  const auto count = static_cast<double>(values.size());
  return sum / (count * count);
}

}  // namespace

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return std::lerp(values[low], values[high], at - static_cast<double>(low));
}

double median(const std::vector<double>& values) {
  return percentile(values, 0.5);
}

double mean(std::span<const double> values) {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::size_t warm_from(std::span<const double> times) {
  if (times.size() < 3) return 0;
  std::size_t best = 0;
  double least = error_of(times);
  for (std::size_t cut = 1; cut <= times.size() / 2; ++cut) {
    const auto rest = times.subspan(cut);
    const double upper = percentile({rest.begin(), rest.end()}, 0.75);
    const auto first = times.first(cut);
    const bool is_slow = std::all_of(first.begin(), first.end(),
                                     [&](double time) { return time > upper; });
    const double error = error_of(rest);
    if (!is_slow || error >= least) continue;
    best = cut;
    least = error;
  }
  return best;
}

Ratio paired_ratio(std::span<const double> base,
                   std::span<const double> other) {
  std::vector<double> logs;
  for (std::size_t i = 0; i < std::min(base.size(), other.size()); ++i) {
    if (base[i] > 0 && other[i] > 0)
      logs.push_back(std::log(base[i] / other[i]));
  }
  Ratio out;
  out.pairs = logs.size();
  if (logs.empty()) return out;
  out.value = out.low = out.high = std::exp(mean(logs));
  if (logs.size() < 2) return out;
  const auto count = static_cast<double>(logs.size());
  const double outside =
      normal(-std::sqrt(count / (count - 1)) * student(logs.size() - 1));
  const auto means = resampled_means(logs);
  out.low = std::exp(percentile(means, outside));
  out.high = std::exp(percentile(means, 1 - outside));
  return out;
}

}  // namespace penstock::bench

#include "pipeline_serve/serving/metrics.h"

#include <algorithm>
#include <cmath>

#include "penstock/error.h"

namespace penstock::serve {
namespace {

constexpr double kLeast = 1e-5;  ///< seconds of the first fine bucket
constexpr double kWider = 0.04879016416943204;  ///< log(1.05)

}  // namespace

void Histogram::add(double seconds) {
  const auto* const at =
      std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts_[static_cast<std::size_t>(at - kBounds.begin())];
  const double fine = std::log(std::max(seconds, kLeast) / kLeast) / kWider;
  ++fine_[std::min(static_cast<std::size_t>(fine), kFine - 1)];
  sum_ += seconds;
}

double Histogram::quantile(double q) const {
  const double wanted = q * static_cast<double>(count());
  double below = 0;
  for (std::size_t i = 0; i < kFine; ++i) {
    below += fine_[i];
    if (fine_[i] == 0 || below < wanted) continue;
    return kLeast * std::exp((static_cast<double>(i) + 0.5) * kWider);
  }
  return 0;
}

double Histogram::mean() const {
  const std::int64_t all = count();
  return all == 0 ? 0 : sum_ / static_cast<double>(all);
}

std::int64_t Histogram::count() const {
  std::int64_t all = 0;
  for (const std::int64_t each : counts_) all += each;
  return all;
}

std::string Histogram::text(const std::string& name,
                            const std::string& labels) const {
  std::string out;
  std::int64_t below = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    below += counts_[i];
    out +=
        str(name, "_bucket{", labels, ",le=\"",
            i < kBounds.size() ? str(kBounds[i]) : "+Inf", "\"} ", below, "\n");
  }
  return out + str(name, "_sum{", labels, "} ", sum_, "\n", name, "_count{",
                   labels, "} ", below, "\n");
}

void Metrics::Of::begin(Time now) {
  if (running_++ == 0) since_ = now;
}

void Metrics::Of::end(Time now) {
  if (--running_ > 0) return;
  busy_s_ += std::chrono::duration<double>(now - since_).count();
}

double Metrics::Of::busy_s(Time now) const {
  if (running_ == 0) return busy_s_;
  return busy_s_ + std::chrono::duration<double>(now - since_).count();
}

}  // namespace penstock::serve

#include "pipeline_serve/serving/metrics.h"

#include <algorithm>

#include "penstock/error.h"

namespace penstock::serve {

void Histogram::add(double seconds) {
  const auto* const at =
      std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts_[static_cast<std::size_t>(at - kBounds.begin())];
  sum_ += seconds;
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

}  // namespace penstock::serve

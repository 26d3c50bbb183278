#include "pipeline_serve/serving/summary.h"

#include <iomanip>
#include <map>
#include <sstream>

namespace penstock::serve {
namespace {

/// "first token p50 31 ms, p95 80 ms".
void write_quantiles(std::ostringstream& out, const char* what,
                     const Histogram& of) {
  if (of.count() == 0) return;
  constexpr double kMs = 1000;
  out << ", " << what << " p50 " << of.quantile(0.5) * kMs << " ms, p95 "
      << of.quantile(0.95) * kMs << " ms";
}

std::string requests_line(const std::string& name, const Metrics::Of& of) {
  return str(name, ": ", of.requests, " requests, ", of.failed, " failed, ",
             of.cancelled, " cancelled, ", of.refused, " refused");
}

std::string details_line(const std::string& name, const Metrics::Of& of,
                         std::int64_t generated) {
  std::ostringstream out;
  const double busy_s = of.busy_s(Clock::now());
  out << std::fixed << std::setprecision(1) << name << ": " << of.prompt_tokens
      << " prompt tokens (" << of.cached_tokens << " found computed), "
      << generated << " generated in " << busy_s << " s";
  if (busy_s > 0) {
    out << " (" << static_cast<double>(generated) / busy_s << "/s)";
  }
  write_quantiles(out, "first output", of.first_token);
  write_quantiles(out, "between outputs", of.between_tokens);
  write_quantiles(out, "whole", of.whole);
  return out.str();
}

}  // namespace

std::vector<std::string> summary(const Metrics& metrics, const Models& models) {
  std::map<std::string, Metrics::Of> all;  // not under the metrics' lock
  metrics.each([&](const std::string& name, const Metrics::Of& of) {
    all.emplace(name, of);
  });
  std::vector<std::string> out;
  for (const auto& [name, of] : all) {
    out.push_back(requests_line(name, of));
    if (of.requests == 0) continue;
    out.push_back(details_line(name, of, models.generated(name)));
  }
  return out;
}

}  // namespace penstock::serve

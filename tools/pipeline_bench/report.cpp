#include "pipeline_bench/report.h"

namespace penstock::bench {
namespace {

double prefill_speed(const Timed& timed) {
  return timed.prefill_ms > 0
             ? static_cast<double>(timed.prompt_tokens) / timed.prefill_ms * 1e3
             : 0;
}
double decode_speed(const Timed& timed) {
  return timed.decode_ms > 0 && timed.new_tokens > 1
             ? static_cast<double>(timed.new_tokens - 1) / timed.decode_ms * 1e3
             : 0;
}

}  // namespace

std::vector<const VariantResult*> Result::present() const {
  std::vector<const VariantResult*> out;
  for (const VariantResult& each : variants) {
    if (!each.missing) out.push_back(&each);
  }
  return out;
}

Speed speed(const Measured& m) {
  std::int64_t tokens = 0;
  std::size_t requests = 0;
  for (const Run& run : m.warm()) {
    requests += run.requests.size();
    for (const Timed& timed : run.requests) tokens += timed.new_tokens;
  }
  const double run = median(m.run_s());
  const auto runs = static_cast<double>(m.warm().size());
  return {.prefill = median(m.each(prefill_speed)),
          .decode = median(m.each(decode_speed)),
          .tokens = static_cast<double>(tokens) / runs / run,
          .requests = static_cast<double>(requests) / runs / run};
}

StageTimes stage_times(const Measured& m) {
  std::size_t requests = 0;
  for (const Run& run : m.warm()) requests += run.requests.size();
  const Stats all = m.stats();
  const double scale = 1e3 / static_cast<double>(requests);
  return {.preprocess = all.preprocess_s * scale,
          .batch = (all.plan_s + all.collate_s) * scale,
          .forward = all.forward_s * scale,
          .decode = all.decode_s * scale,
          .postprocess = all.write_s * scale};
}

std::vector<Comparison> comparisons(const Result& result) {
  std::vector<Comparison> out;
  const auto there = result.present();
  if (there.size() < 2) return out;
  const VariantResult& base = *there.front();
  for (std::size_t load = 0; load < base.loads.size(); ++load) {
    for (const VariantResult* other : there) {
      if (other == &base) continue;
      for (const Metric& metric : metrics(base.loads[load])) {
        out.push_back({.load = load,
                       .metric = metric.name,
                       .base = &base,
                       .other = other,
                       .ratio = paired_ratio(metric.of(base.loads[load]),
                                             metric.of(other->loads[load]))});
      }
    }
  }
  return out;
}

}  // namespace penstock::bench

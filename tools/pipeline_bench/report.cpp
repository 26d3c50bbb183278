#include "pipeline_bench/report.h"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "penstock/sdk_version.h"

namespace penstock::bench {
namespace {

using Json = nlohmann::ordered_json;

std::vector<double> each(const Measured& measured,
                         double (*take)(const Timed&)) {
  std::vector<double> out;
  for (const Timed& timed : measured.requests) out.push_back(take(timed));
  return out;
}

std::vector<double> gaps(const Measured& measured) {
  std::vector<double> out;
  for (const Timed& timed : measured.requests) {
    if (timed.new_tokens == 0) continue;
    out.insert(out.end(), timed.between_ms.begin(), timed.between_ms.end());
  }
  return out;
}

double first_ms(const Timed& timed) { return timed.first_ms; }
double whole_ms(const Timed& timed) { return timed.whole_ms; }
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

double median(const std::vector<double>& values) {
  return percentile(values, 0.5);
}

Json percentiles(const std::vector<double>& values) {
  return {{"p50", percentile(values, 0.5)},
          {"p95", percentile(values, 0.95)},
          {"p99", percentile(values, 0.99)}};
}

Json batch_json(const Measured& m) {
  const Speed fast = speed(m);
  Json out{{"batch", m.batch}};
  out["first_token_ms"] = percentiles(each(m, first_ms));
  out["inter_token_ms"] = percentiles(gaps(m));
  out["request_ms"] = percentiles(each(m, whole_ms));
  out["prefill_tokens_per_s"] = fast.prefill;
  out["decode_tokens_per_s"] = fast.decode;
  out["tokens_per_s"] = fast.tokens;
  out["requests_per_s"] = fast.requests;
  out["stage_s"] = {{"preprocess", m.stats.preprocess_s},
                    {"batch", m.stats.plan_s + m.stats.collate_s},
                    {"forward", m.stats.forward_s},
                    {"decode", m.stats.decode_s},
                    {"postprocess", m.stats.write_s}};
  out["steps"] = m.stats.steps;
  out["run_s"] = m.run_s;
  for (const Timed& timed : m.requests) {
    out["requests"].push_back({{"first_ms", timed.first_ms},
                               {"whole_ms", timed.whole_ms},
                               {"prompt_tokens", timed.prompt_tokens},
                               {"new_tokens", timed.new_tokens},
                               {"between_ms", timed.between_ms}});
  }
  return out;
}

void row(std::ostream& out, const std::string& device, const Measured& m) {
  const auto first = each(m, first_ms);
  const auto between = gaps(m);
  const Speed fast = speed(m);
  out << std::left << std::setw(8) << device << std::right << std::setw(5)
      << m.batch << std::setprecision(2) << std::setw(9) << median(first)
      << std::setw(9) << percentile(first, 0.95) << std::setw(8)
      << median(between) << std::setw(8) << percentile(between, 0.95)
      << std::setw(8) << percentile(between, 0.99) << std::setprecision(0)
      << std::setw(8) << fast.prefill << std::setw(8) << fast.decode
      << std::setw(8) << fast.tokens << std::setprecision(1) << std::setw(8)
      << fast.requests << "\n";
}

}  // namespace

Speed speed(const Measured& m) {
  std::int64_t tokens = 0;
  for (const Timed& timed : m.requests) tokens += timed.new_tokens;
  const double run = median(m.run_s);
  const auto runs = static_cast<double>(m.run_s.size());
  return {.prefill = median(each(m, prefill_speed)),
          .decode = median(each(m, decode_speed)),
          .tokens = static_cast<double>(tokens) / runs / run,
          .requests = static_cast<double>(m.batch) / run};
}

std::string table(const Result& result) {
  std::ostringstream out;
  out << std::fixed << result.pipeline << ", " << result.model << ", "
      << result.threads << " threads, medians of " << result.runs << " runs\n";
  const Timed* sample = nullptr;
  for (const DeviceResult& device : result.devices) {
    if (!device.batches.empty()) sample = device.batches[0].requests.data();
  }
  if (sample != nullptr && sample->new_tokens > 0) {
    out << sample->prompt_tokens << " prompt tokens, " << sample->new_tokens
        << " new\n";
  }
  out << "              first, ms         between, ms            tokens/s\n"
         "device  batch    p50      p95     p50     p95     p99  prefill"
         "  decode     all  reqs/s\n";
  for (const DeviceResult& device : result.devices) {
    if (device.missing) {
      out << std::left << std::setw(8) << device.device
          << "missing: " << *device.missing << "\n";
      continue;
    }
    for (const Measured& each : device.batches) row(out, device.device, each);
  }
  for (const DeviceResult& device : result.devices) {
    if (device.missing) continue;
    out << device.device << ": " << device.dtype
        << (device.dtype.empty() ? "" : ", ") << "opened in "
        << std::setprecision(2) << device.open_s << " s, at most "
        << std::setprecision(0) << device.peak_mib << " MiB of memory\n";
  }
  return out.str();
}

std::string to_json(const Result& result) {
  Json out{{"penstock", PENSTOCK_SDK_VERSION},
           {"pipeline", result.pipeline},
           {"model", result.model},
           {"processor", result.processor},
           {"threads", result.threads},
           {"runs", result.runs}};
  out["devices"] = Json::array();
  for (const DeviceResult& device : result.devices) {
    Json one{{"device", device.device}};
    if (device.missing) {
      one["missing"] = *device.missing;
    } else {
      one["dtype"] = device.dtype;
      one["open_s"] = device.open_s;
      one["peak_mib"] = device.peak_mib;
      for (const Measured& each : device.batches) {
        one["batches"].push_back(batch_json(each));
      }
    }
    out["devices"].push_back(std::move(one));
  }
  return out.dump(1) + "\n";
}

}  // namespace penstock::bench

#include <nlohmann/json.hpp>

#include "penstock/batch.h"
#include "penstock/sdk_version.h"
#include "pipeline_bench/report.h"

namespace penstock::bench {
namespace {

using Json = nlohmann::ordered_json;

Json percentiles(const std::vector<double>& values) {
  return {{"p50", percentile(values, 0.5)},
          {"p95", percentile(values, 0.95)},
          {"p99", percentile(values, 0.99)}};
}

Json steps_json(const StepCounts& steps) {
  Json out{{"ran", steps.ran}, {"known", steps.known()}};
  out["by_size"] = Json::array();
  for (const auto& [size, counts] : steps.by_size) {
    Json one{{"sequences", size}};
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts.at(i) == 0) continue;
      one["closed"][to_string(static_cast<Closed>(i))] = counts.at(i);
    }
    out["by_size"].push_back(std::move(one));
  }
  return out;
}

Json load_json(const Measured& m) {
  Json out = m.load.is_open() ? Json{{"rate", m.load.rate}}
                              : Json{{"batch", m.load.batch}};
  const Speed fast = speed(m);
  out["warmup_runs"] = m.warmup;
  out["is_steady"] = m.is_steady;
  const auto of = [&](double (*take)(const Timed&)) {
    return percentiles(m.each(take));
  };
  out["first_token_ms"] = of([](const Timed& t) { return t.first_ms; });
  out["inter_token_ms"] = percentiles(m.gaps());
  out["request_ms"] = of([](const Timed& t) { return t.whole_ms; });
  out["queue_ms"] = of([](const Timed& t) { return t.wait_ms; });
  out["prefill_tokens_per_s"] = fast.prefill;
  out["decode_tokens_per_s"] = fast.decode;
  out["tokens_per_s"] = fast.tokens;
  out["requests_per_s"] = fast.requests;
  const Stats all = m.stats();
  out["stage_s"] = {{"preprocess", all.preprocess_s},
                    {"batch", all.plan_s + all.collate_s},
                    {"forward", all.forward_s},
                    {"decode", all.decode_s},
                    {"postprocess", all.write_s}};
  out["steps"] = all.steps;
  out["step_sizes"] = steps_json(m.steps);
  out["run_s"] = m.run_s();
  out["requests"] = Json::array();
  for (const Run& run : m.warm()) {
    for (const Timed& timed : run.requests) {
      out["requests"].push_back({{"first_ms", timed.first_ms},
                                 {"whole_ms", timed.whole_ms},
                                 {"queue_ms", timed.wait_ms},
                                 {"prompt_tokens", timed.prompt_tokens},
                                 {"new_tokens", timed.new_tokens},
                                 {"between_ms", timed.between_ms}});
    }
  }
  return out;
}

Json variant_json(const VariantResult& variant) {
  Json one{{"name", variant.name}, {"device", variant.device}};
  if (!variant.settings.empty()) one["settings"] = variant.settings;
  if (variant.missing) {
    one["missing"] = *variant.missing;
    return one;
  }
  one["dtype"] = variant.dtype;
  one["open_s"] = variant.open_s;
  for (const Measured& each : variant.loads) {
    one[each.load.is_open() ? "rates" : "batches"].push_back(load_json(each));
  }
  return one;
}

}  // namespace

std::string to_json(const Result& result) {
  Json out{{"penstock", PENSTOCK_SDK_VERSION},
           {"pipeline", result.pipeline},
           {"model", result.model},
           {"processor", result.processor},
           {"threads", result.threads},
           {"runs", result.runs},
           {"peak_mib", result.peak_mib}};
  out["devices"] = Json::array();
  for (const VariantResult& each : result.variants) {
    out["devices"].push_back(variant_json(each));
  }
  for (const Comparison& each : comparisons(result)) {
    out["comparisons"].push_back(
        {{"load", each.base->loads[each.load].load.text()},
         {"metric", each.metric},
         {"base", each.base->name},
         {"variant", each.other->name},
         {"times_as_fast", each.ratio.value},
         {"low", each.ratio.low},
         {"high", each.ratio.high},
         {"pairs", each.ratio.pairs}});
  }
  return out.dump(1) + "\n";
}

}  // namespace penstock::bench

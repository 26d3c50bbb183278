#include "pipeline_bench/rounds.h"

#include <algorithm>

#include "pipeline_bench/statistics.h"

namespace penstock::bench {
namespace {

/// What the warm-up is found by: a run's time, and at a rate, where arrivals
/// make that, its requests' mean.
std::vector<double> times(const Measured& measured) {
  std::vector<double> out;
  for (const Run& run : measured.runs) {
    if (!measured.load.is_open()) {
      out.push_back(run.seconds());
      continue;
    }
    std::vector<double> whole;
    for (const Timed& timed : run.requests) whole.push_back(timed.whole_ms);
    out.push_back(mean(whole));
  }
  return out;
}

template <class Take>
std::vector<double> run_means(const Measured& measured, const Take& take) {
  std::vector<double> out;
  for (const Run& run : measured.warm()) {
    std::vector<double> values;
    for (const Timed& timed : run.requests) take(timed, values);
    out.push_back(mean(values));
  }
  return out;
}

std::vector<double> first_means(const Measured& measured) {
  return run_means(measured, [](const Timed& timed, std::vector<double>& to) {
    to.push_back(timed.first_ms);
  });
}
std::vector<double> whole_means(const Measured& measured) {
  return run_means(measured, [](const Timed& timed, std::vector<double>& to) {
    to.push_back(timed.whole_ms);
  });
}
std::vector<double> gap_means(const Measured& measured) {
  return run_means(measured, [](const Timed& timed, std::vector<double>& to) {
    if (timed.new_tokens == 0) return;
    to.insert(to.end(), timed.between_ms.begin(), timed.between_ms.end());
  });
}
std::vector<double> run_times(const Measured& measured) {
  return measured.run_s();
}

std::size_t warmup_of(const std::vector<Measured>& all) {
  std::size_t longest = 0;
  for (const Measured& each : all) {
    longest = std::max(longest, warm_from(times(each)));
  }
  return longest;
}

}  // namespace

std::vector<double> Measured::each(double (*take)(const Timed&)) const {
  std::vector<double> out;
  for (const Run& run : warm()) {
    for (const Timed& timed : run.requests) out.push_back(take(timed));
  }
  return out;
}

std::vector<double> Measured::gaps() const {
  std::vector<double> out;
  for (const Run& run : warm()) {
    for (const Timed& timed : run.requests) {
      if (timed.new_tokens == 0) continue;
      out.insert(out.end(), timed.between_ms.begin(), timed.between_ms.end());
    }
  }
  return out;
}

std::vector<double> Measured::run_s() const {
  std::vector<double> out;
  for (const Run& run : warm()) out.push_back(run.seconds());
  return out;
}

Stats Measured::stats() const {
  Stats all;
  for (const Run& run : warm()) {
    all.preprocess_s += run.stats.preprocess_s;
    all.plan_s += run.stats.plan_s;
    all.collate_s += run.stats.collate_s;
    all.forward_s += run.stats.forward_s;
    all.decode_s += run.stats.decode_s;
    all.write_s += run.stats.write_s;
    all.steps += run.stats.steps;
    all.tokens_in += run.stats.tokens_in;
    all.tokens_out += run.stats.tokens_out;
  }
  return all;
}

std::vector<Measured> measure(std::size_t variants, const Load& load,
                              const Rounds& rounds, const RunVariant& run) {
  std::vector<Measured> all(variants);
  for (Measured& each : all) each.load = load;
  const auto wanted = static_cast<std::size_t>(rounds.runs);
  std::size_t warmup = 0;
  bool is_steady = true;
  for (std::size_t done = 1;; ++done) {
    for (std::size_t i = 0; i < variants; ++i) {
      all[i].runs.push_back(run(i, done));
    }
    if (rounds.warmup) {
      warmup = static_cast<std::size_t>(*rounds.warmup);
      if (done >= warmup + wanted) break;
      continue;
    }
    if (done < wanted) continue;
    warmup = warmup_of(all);
    // Where as much is cut as may be, more would be.
    const bool is_settled = warmup == 0 || warmup < done / 2;
    if (is_settled && done >= warmup + wanted) break;
    is_steady = done < wanted + kMostWarmup;
    if (!is_steady) break;
  }
  for (Measured& each : all) {
    // Of more rounds than were asked for the last count: all are paired.
    each.warmup = std::max(warmup, each.runs.size() - wanted);
    each.is_steady = is_steady;
  }
  return all;
}

std::vector<Metric> metrics(const Measured& measured) {
  std::vector<Metric> out;
  if (!measured.load.is_open()) out.push_back({"whole run", run_times});
  out.push_back({"first output", first_means});
  if (!measured.gaps().empty()) out.push_back({"between outputs", gap_means});
  out.push_back({"request", whole_means});
  return out;
}

}  // namespace penstock::bench

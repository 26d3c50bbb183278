// What was measured, for people and for tools/plot_latency.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline_bench/rounds.h"
#include "pipeline_bench/statistics.h"

namespace penstock::bench {

/// One variant, or why its device is not there.
struct VariantResult {
  std::string name, device, dtype = {};
  std::string settings = {};  ///< of its --vs; empty: none
  std::optional<std::string> missing = {};
  double open_s = 0;
  std::vector<Measured> loads = {};
};

struct Result {
  std::string pipeline, model, processor;
  int threads = 0, runs = 0;
  double peak_mib = 0;  ///< of the process, all variants together
  std::vector<VariantResult> variants = {};

  /// Those that were measured.
  [[nodiscard]] std::vector<const VariantResult*> present() const;
};

/// Speeds under one load: tokens/s, and requests/s for all pipelines.
struct Speed {
  double prefill = 0;   ///< a request's prompt tokens by its prefill, median
  double decode = 0;    ///< a request's new tokens behind the first, median
  double tokens = 0;    ///< new tokens of all requests by a run's time
  double requests = 0;  ///< by a run's time
};
[[nodiscard]] Speed speed(const Measured& measured);

/// Milliseconds that the stages took, by request. Of stages that ran for many
/// requests at once each has its share.
struct StageTimes {
  double preprocess = 0, batch = 0, forward = 0, decode = 0, postprocess = 0;
};
[[nodiscard]] StageTimes stage_times(const Measured& measured);

/// How much faster a variant was than the first.
struct Comparison {
  std::size_t load = 0;  ///< its place in VariantResult::loads
  std::string metric;
  const VariantResult* base = nullptr;
  const VariantResult* other = nullptr;
  Ratio ratio;
};
[[nodiscard]] std::vector<Comparison> comparisons(const Result& result);

[[nodiscard]] std::string table(const Result& result);
/// Every single time stands in it, not only medians.
[[nodiscard]] std::string to_json(const Result& result);

}  // namespace penstock::bench

// What was measured, for people and for tools/plot_latency.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline_bench/measure.h"

namespace penstock::bench {

/// One device, or why it is not there.
struct DeviceResult {
  std::string device, dtype;
  std::optional<std::string> missing;
  double open_s = 0;
  double peak_mib = 0;  ///< of the process's memory, since it was opened
  std::vector<Measured> batches;
};

struct Result {
  std::string pipeline, model, processor;
  int threads = 0, runs = 0;
  std::vector<DeviceResult> devices;
};

/// Speeds of one batch size: tokens/s, and requests/s for all pipelines.
struct Speed {
  double prefill = 0;   ///< a request's prompt tokens by its prefill, median
  double decode = 0;    ///< a request's new tokens behind the first, median
  double tokens = 0;    ///< new tokens of all requests by a run's time
  double requests = 0;  ///< by a run's time
};
[[nodiscard]] Speed speed(const Measured& measured);

[[nodiscard]] std::string table(const Result& result);
/// Every single time stands in it, not only medians.
[[nodiscard]] std::string to_json(const Result& result);

}  // namespace penstock::bench

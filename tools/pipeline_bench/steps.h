// How large steps were and why they were closed, read from a pipeline's trace.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "penstock/pipeline.h"

namespace penstock::bench {

/// Number of steps by their number of sequences and by Closed.
struct StepCounts {
  std::map<std::size_t, std::array<std::int64_t, 5>> by_size;
  /// Steps that ran, of which the trace still knew the newest `known()`.
  std::int64_t ran = 0;

  [[nodiscard]] std::int64_t known() const;
  [[nodiscard]] std::int64_t most() const;  ///< the highest count of a size
};

/// A span of time.
using Span = std::pair<Time, Time>;

/// Counts the steps of Runner::trace_json() that began in one of the spans.
[[nodiscard]] StepCounts count_steps(const std::string& trace,
                                     const std::vector<Span>& spans);

}  // namespace penstock::bench

// The plots of a report, each a drawing; "" where there is nothing to draw.
#pragma once

#include <string>

#include "pipeline_bench/report.h"

namespace penstock::bench {

/// How much faster each variant was, with intervals.
[[nodiscard]] std::string ratios_plot(const Result& result);
/// Boxes of every request's times: until the first piece, or the last.
[[nodiscard]] std::string latency_plot(const Result& result, bool is_first);
/// Where a request's time went, by stage.
[[nodiscard]] std::string stages_plot(const Result& result);
/// How many sequences ran in a step, and why steps were closed.
[[nodiscard]] std::string steps_plot(const Result& result);
/// Every run in its order, the warm-up as well.
[[nodiscard]] std::string rounds_plot(const Result& result);

}  // namespace penstock::bench

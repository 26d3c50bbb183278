// --compare A,B: the same requests through a pipeline in two ways.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "penstock/plugin_host.h"
#include "pipeline_run/options.h"

namespace penstock::run {

/// What each side of "reference,native" sets in the file: an engine or a dtype
/// of its forward stage, a device, or stage.param=value;... Throws
/// Error(kUsage) that says what there is.
[[nodiscard]] std::pair<std::vector<Override>, std::vector<Override>> sides_of(
    const std::string& text, const PipelineFile& file);

/// How far apart two dtypes ("fp32", "bf16", "int8") may be.
[[nodiscard]] double tolerance_of(const std::string& a, const std::string& b);

/// Tells where they part; gives 0 where every request is within the tolerance.
int compare_runs(const Options& options, PluginHost& plugins);

}  // namespace penstock::run

// What goes from one device to another in each step of a pipeline.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock {

/// "forward (gemma.forward)"
[[nodiscard]] std::string named(const StageConfig& stage);

/// Between the stages of the loop, where Forward is on this device: a line
/// each, "batch (core.continuous) on cpu to forward ...".
[[nodiscard]] std::vector<std::string> copies_of(const PipelineFile& file,
                                                 const at::Device& device);

}  // namespace penstock

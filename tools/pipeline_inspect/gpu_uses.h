// Which stages can compute on the GPUs that are here, and what keeps others
// from it: a stage with an engine of its own for GPUs needs less than one in
// ATen operations.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "penstock/gpus.h"
#include "penstock/stage_spec.h"
#include "pipeline_inspect/report.h"

namespace penstock::inspect {

struct GpuUse {
  std::string stage;             ///< "gemma.forward"
  std::vector<std::string> why;  ///< by GPU, why it cannot; "": it can
  /// By GPU that it can use, choices of its params with which it could not, as
  /// "step: persistent: the driver is too old".
  std::vector<std::vector<std::string>> but = {};
};

/// Of those stages that may compute on a GPU at all, with their params as they
/// are when nobody sets them. What a child process answers of one plugin.
[[nodiscard]] nlohmann::ordered_json gpu_uses_json(
    const std::vector<StageSpec>& stages, const Gpus& gpus);

/// Of every plugin. Where there is no GPU nobody is asked.
[[nodiscard]] std::vector<GpuUse> gpu_uses(const Gpus& gpus,
                                           const Options& options);

}  // namespace penstock::inspect

// `pipeline-inspect --devices`: what a pipeline's `device` can be here, and
// what keeps a GPU from being used.
#pragma once

#include <string>
#include <vector>

#include "pipeline_inspect/gpu_uses.h"

namespace penstock::inspect {

/// Lines, or a JSON object.
[[nodiscard]] std::string devices(const Gpus& gpus,
                                  const std::vector<GpuUse>& uses,
                                  bool is_json);

}  // namespace penstock::inspect

// On which devices a pipeline's Forward runs, as those who open it see them.
// What programs see is penstock/placement.h.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock {

/// Of Forward and what is around it, one for each replica, at least one. `auto`
/// is a GPU only where each stage of the loop that names devices can compute
/// there. Throws Error(kUnavailable).
[[nodiscard]] std::vector<at::Device> devices_of(const PipelineFile& file);

/// As people write them: "cpu", "cuda:1".
[[nodiscard]] std::vector<std::string> names_of(
    const std::vector<at::Device>& devices);

}  // namespace penstock

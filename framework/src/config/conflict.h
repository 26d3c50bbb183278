// A stage's own check of its params one against another.
#pragma once

#include <string>

#include "penstock/stage_spec.h"

namespace penstock::config {

/// What is wrong between the params, or "". The check is a plugin's code: what
/// it throws becomes an Error(kInternal) that names plugin and stage.
[[nodiscard]] std::string conflict_of(const StageSpec& stage,
                                      const void* params);

}  // namespace penstock::config

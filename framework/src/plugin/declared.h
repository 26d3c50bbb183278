// Whether what a stage declares makes sense, looked at when it is registered.
#pragma once

#include "penstock/stage_spec.h"

namespace penstock::plugin {

/// Throws Error(kInternal) with the first thing that a plugin's author has to
/// mend: docs, params (names, ranges, choices, defaults), dtypes of ports.
void check_declared(const StageSpec& stage);

}  // namespace penstock::plugin

// Do the stages of a pipeline fit together? Layouts and ports.
#pragma once

#include "config/draft.h"
#include "config/problems.h"

namespace penstock::config {

/// Compares what is in place; the problems name both sides.
void check_fit(const Draft& draft, Problems& problems);

}  // namespace penstock::config

// Whether each stage can be where its file puts it.
#pragma once

#include "config/draft.h"
#include "config/problems.h"

namespace penstock::config {

/// With every override in force.
void check_devices(Draft& draft, Problems& problems);

}  // namespace penstock::config

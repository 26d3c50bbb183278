// Whether each stage can be where its file puts it, and may be there.
#pragma once

#include "config/draft.h"
#include "config/problems.h"

namespace penstock::config {

/// With every override in force.
void check_devices(Draft& draft, Problems& problems);
/// Where `copies: deny` is written: Forward is on the CPU, as the stages beside
/// it, or that is a problem. `auto` becomes the CPU.
void deny_copies(Draft& draft, Problems& problems);

}  // namespace penstock::config

// Ports that a model file says, in place of those that its stage declares.
#pragma once

#include "config/draft.h"
#include "config/problems.h"

namespace penstock::config {

/// Asks the stages that describe themselves; one whose model is not here has
/// no ports to compare, which opening it will tell. True: some stage was asked.
bool describe_stages(Draft& draft, Problems& problems);

}  // namespace penstock::config

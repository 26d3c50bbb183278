// Values from the environment and from --set over those of a file.
#pragma once

#include "config/draft.h"
#include "config/problems.h"

namespace penstock::config {

/// Applies them in order, the last one wins, with the checks of the file.
void apply(const std::vector<Override>& overrides, Draft& draft,
           Problems& problems);

}  // namespace penstock::config

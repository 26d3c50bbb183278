// Inputs that fit a stage's ports, for a stage of which nothing else is known.
#pragma once

#include <optional>
#include <string>

#include "penstock/testing/run_stage.h"

namespace penstock::check {

/// Nothing where none can be made up, with the reason in `why`.
[[nodiscard]] std::optional<testing::Given> given_for(const StageSpec& spec,
                                                      std::string& why);

}  // namespace penstock::check

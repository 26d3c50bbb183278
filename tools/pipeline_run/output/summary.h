// Where the time went.
#pragma once

#include <string>

#include "penstock/pipeline.h"

namespace penstock::run {

/// One line: requests, tokens, rates.
[[nodiscard]] std::string brief(const Stats& stats);
/// A table by stage, and why each batch closed.
[[nodiscard]] std::string table(const Stats& stats);

}  // namespace penstock::run

// Bounds of values in a JSON schema: whether they can be, and be held together.
#pragma once

#include <string>
#include <vector>

#include "penstock/json.h"

namespace penstock::grammar {

/// Throws Error(kData) for bounds of the wrong kind, that exclude each other or
/// that cannot be held beside each other. `types`: of the schema.
void check_bounds(const JsonView& schema,
                  const std::vector<std::string>& types);

}  // namespace penstock::grammar

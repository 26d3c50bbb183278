// What a JSON schema asks that cannot be held is refused by name and place.
#pragma once

#include <string>

#include "penstock/json.h"

namespace penstock::grammar {

/// Throws Error(kData) for what is no JSON, or too large.
[[nodiscard]] JsonValue parse_schema(const std::string& text);

/// Throws Error(kData) for what is no schema, is not supported, or would take
/// too long.
void check_schema(const JsonView& root);

}  // namespace penstock::grammar

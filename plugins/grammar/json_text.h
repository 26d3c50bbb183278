// JSON values as text again.
#pragma once

#include <string>

#include "penstock/json.h"

namespace penstock::grammar {

/// On one line, members in their order; numbers come back as they are.
[[nodiscard]] std::string json_text(const JsonValue& value);

/// The same for values that JSON Schema takes for the same: 1 is 1.0, members
/// have no order.
[[nodiscard]] std::string canonical_json(const JsonValue& value);

}  // namespace penstock::grammar

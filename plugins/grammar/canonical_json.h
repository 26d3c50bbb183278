// JSON as text by which values can be told apart.
#pragma once

#include <string>

#include "penstock/json.h"

namespace penstock::grammar {

/// The same text for values that JSON Schema takes for the same: 1 is 1.0,
/// members have no order.
[[nodiscard]] std::string canonical_json(const JsonValue& value);

}  // namespace penstock::grammar

// JSON with a space behind each comma and colon, as models see it most.
#pragma once

#include <string>

#include "penstock/json.h"

namespace penstock::tools {

[[nodiscard]] std::string spaced_json(const JsonValue& value);
/// A text in quotes, escaped.
[[nodiscard]] std::string quoted(const std::string& text);

}  // namespace penstock::tools

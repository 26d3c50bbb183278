// A JSON value as text again, its members in the order of the file.
#pragma once

#include <string>

#include "penstock/json.h"

namespace penstock::run {

/// On one line.
[[nodiscard]] std::string json_text(const JsonValue& value);

}  // namespace penstock::run

// FunctionGemma's arguments, {city:<escape>Oslo<escape>,days:3}, and JSON.
#pragma once

#include <optional>
#include <string>

#include "penstock/json.h"

namespace penstock::tools {

/// As JSON, an object; nothing where it is no such text.
[[nodiscard]] std::optional<std::string> json_of_escaped(
    const std::string& text);
/// A value as the model would write it; members by their names, as its template
/// sorts them.
[[nodiscard]] std::string escaped_of_json(const JsonValue& value);

}  // namespace penstock::tools

// OpenAI's `tool_choice` as the option of grammar.tools.
#pragma once

#include <string>

#include "penstock/json.h"

namespace penstock::run {

/// "auto", "required", or "function:NAME" of {"type": "function", "function":
/// {"name": "NAME"}}. Throws Error(kData); "none" is whoever calls it to know:
/// there are no tools then.
[[nodiscard]] std::string tool_choice_option(const JsonView& choice);

}  // namespace penstock::run

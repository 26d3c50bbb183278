// Text of others on its way to a person's terminal.
#pragma once

#include <string>

namespace penstock {

/// Control characters but newline and tab become U+FFFD: a prompt, a model or
/// the name of a request must not drive the terminal. Cut between characters,
/// not within.
[[nodiscard]] std::string harmless(const std::string& text);
/// In single quotes, on one line: newline and tab become U+FFFD as well.
[[nodiscard]] std::string harmless_name(const std::string& text);

}  // namespace penstock

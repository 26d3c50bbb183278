// What may go to a person's terminal.
#pragma once

#include <string>

namespace penstock::run {

/// `text` in bold, where the terminal can and nobody set NO_COLOR.
[[nodiscard]] std::string bold(const std::string& text);
/// Control characters but newline and tab become U+FFFD: a prompt or a model
/// must not drive the terminal. Cut between characters, not within.
[[nodiscard]] std::string harmless(const std::string& text);

}  // namespace penstock::run

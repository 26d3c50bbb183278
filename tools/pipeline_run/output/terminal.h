// What may go to a person's terminal.
#pragma once

#include <string>

#include "common/harmless.h"

namespace penstock::run {

/// `text` in bold, where the terminal can and nobody set NO_COLOR.
[[nodiscard]] std::string bold(const std::string& text);

}  // namespace penstock::run

// Requests from JSON lines:
//   {"id": "a", "text": "...", "options": {"max_new_tokens": 64}}
// also `inputs` (named values) and `deadline_ms`.
#pragma once

#include <string>

#include "inputs.h"

namespace penstock::run {

/// `path`: a file, or "-" for stdin. A bad line is an Input with its error.
[[nodiscard]] Inputs open_jsonl(const std::string& path, std::size_t limit);

/// One line; `number` (from 1) gives the id where the line has none. Throws
/// Error(kData).
[[nodiscard]] Request parse_jsonl(const std::string& line, std::size_t number);

}  // namespace penstock::run

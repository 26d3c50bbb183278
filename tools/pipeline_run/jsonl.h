// Requests from JSON lines:
//   {"id": "a", "text": "...", "options": {"max_new_tokens": 64}}
// also `continuation` (a text that is scored), `messages` and `tools` (a
// conversation, in OpenAI's shape), `inputs` (named values) and `deadline_ms`.
#pragma once

#include <string>

#include "penstock/request.h"

namespace penstock::run {

/// Reads one line into `request`, whose id stands for lines without one. Throws
/// Error(kData); the id is set first, where there is one.
void parse_jsonl(const std::string& line, Request& request);

}  // namespace penstock::run

// Requests from JSON lines:
//   {"id": "a", "text": "...", "options": {"max_new_tokens": 64}}
// also `continuation` (a text that is scored), `messages` and `tools` (a
// conversation, in OpenAI's shape), `token_ids` (a prompt as the model's ids),
// `inputs` (named values) and `deadline_ms`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "penstock/request.h"
#include "pipeline_run/input/openai_request.h"

namespace penstock::run {

/// Reads one line into `request`, whose id stands for lines without one, and a
/// line of OpenAI's, told by its `custom_id`, into `call` as well. Throws
/// Error(kData); id and call are set first, where there is one.
void parse_jsonl(const std::string& line, Request& request,
                 std::optional<OpenAiCall>& call);

/// Reads an object with a line's members into `request`; an id stays where
/// there is none. No line of OpenAI's. Throws Error(kData).
void read_request(const JsonView& line, Request& request);
/// The members that a line may have.
[[nodiscard]] const std::vector<std::string>& jsonl_keys();

}  // namespace penstock::run

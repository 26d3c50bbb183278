// Conversations as OpenAI's clients send them, checked, as a pipeline's input
// `messages`: roles system, user, assistant and tool, each with one text; calls
// of tools with the assistants that made them.
#pragma once

#include <string>

#include "penstock/json.h"
#include "penstock/value.h"

namespace penstock::serve {

/// Of `messages` of a chat. Throws Error(kData), from the view that is wrong.
[[nodiscard]] Json messages_of_chat(const JsonView& messages);

/// Of `input` of a response, a text or a list of items: messages, calls and
/// what they gave; with `instructions` before it. Throws Error(kData).
[[nodiscard]] Json messages_of_response(const JsonView& input,
                                        const std::string& instructions);

}  // namespace penstock::serve

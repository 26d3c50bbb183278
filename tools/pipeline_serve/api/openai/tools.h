// Tools on routes that call none: what says that there are none is taken.
#pragma once

#include "pipeline_serve/api/openai/body.h"

namespace penstock::serve {

/// `tool_choice` is "none".
[[nodiscard]] bool is_without_tools(const Body& body);
/// Throws Error(kData) for a `tool_choice` that wants a call.
void check_choice_of_nothing(const Body& body);
/// Throws HttpError for `tools` and `tool_choice` that want some.
void check_no_tools(const Body& body);

}  // namespace penstock::serve

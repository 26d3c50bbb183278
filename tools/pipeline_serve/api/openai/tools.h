// Tools, which no pipeline calls: what says that there are none is taken.
#pragma once

#include "pipeline_serve/api/openai/body.h"

namespace penstock::serve {

/// Throws HttpError for `tools` and `tool_choice` that want some.
void check_no_tools(const Body& body);

}  // namespace penstock::serve

// Tools that a model may call. grammar.tools holds the calls to them, where the
// pipeline has that.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "pipeline_serve/api/openai/options.h"

namespace penstock::serve {

/// Of a chat: what the body's `tools`, `tool_choice` and `parallel_tool_calls`
/// mean, as the pipeline's input `tools` and options. False: none may be
/// called. Throws HttpError.
bool add_tools(const Body& body, const TextModel& model,
               std::map<std::string, Value>& inputs, Options& options);

/// A complaint of the pipeline about tools, "tools: [0].function.name is ...",
/// as one about that member; nothing: it is another error.
[[nodiscard]] std::optional<HttpError> tools_error(const Error& error);

}  // namespace penstock::serve

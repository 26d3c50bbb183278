// Tools that a model may call. grammar.tools holds the calls to them, where the
// pipeline has that.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "pipeline_serve/api/openai/options.h"
#include "pipeline_serve/api/openai/tool_shape.h"

namespace penstock::serve {

/// What the body's `tools`, `tool_choice` and `parallel_tool_calls` mean, as
/// the pipeline's input `tools` and options. False: none may be called. Throws
/// HttpError.
bool add_tools(const Body& body, ToolShape shape, const TextModel& model,
               std::map<std::string, Value>& inputs, Options& options);

/// `parallel_tool_calls`, which is true where nothing is said. Throws
/// HttpError.
[[nodiscard]] bool may_call_several(const Body& body);

/// What says how a text is to be says nothing of calls: throws HttpError where
/// `options`, which the named members set, ask for a form or for logprobs.
void check_beside_tools(const Options& options, const std::string& form_param,
                        const std::string& logprobs_param);

/// A complaint of the pipeline about tools, "tools: [0].function.name is ...",
/// as one about that member; nothing: it is another error.
[[nodiscard]] std::optional<HttpError> tools_error(const Error& error,
                                                   ToolShape shape);

}  // namespace penstock::serve

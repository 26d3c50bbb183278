// Tools as a response has them, {type, name, parameters, ...}, and as a chat
// and the pipelines do, {type, function: {name, parameters, ...}}.
#pragma once

#include <string>

#include "penstock/json.h"

namespace penstock::serve {

enum class ToolShape { kOfChat, kOfResponse };

/// A response's `tools` as a chat's. Throws Error(kData) for what is no list of
/// objects; the pipeline checks the rest.
[[nodiscard]] JsonValue nested_tools(const JsonView& tools);

/// A response's `tools` as its answer repeats them: with the members that
/// clients expect of each.
[[nodiscard]] std::string repeated_tools(const JsonView& tools);

/// A complaint about a chat's tools, "[0].function.name is ...", as one about
/// those of `shape`.
[[nodiscard]] std::string complaint_in(ToolShape shape, std::string complaint);

}  // namespace penstock::serve

// A call as its model would have written it, for the conversation so far.
#pragma once

#include <string>

#include "lib/tools/call_syntax.h"
#include "penstock/json.h"

namespace penstock::tools {

/// Of `tool_calls[i]` of an assistant's message, whose arguments are JSON in a
/// text, or JSON itself. Throws Error(kData), from the view that is wrong.
struct SaidCall {
  std::string id;  ///< "" where there is none
  std::string name;
  JsonValue arguments;
};
[[nodiscard]] SaidCall said_call(const JsonView& call);

[[nodiscard]] std::string call_text(const SaidCall& call,
                                    const CallSyntax& syntax);

}  // namespace penstock::tools

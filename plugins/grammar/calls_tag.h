// What an answer with tools may be, as xgrammar's structural tag.
#pragma once

#include <string>
#include <vector>

#include "lib/tools/call_syntax.h"
#include "lib/tools/tool_list.h"

namespace penstock::grammar {

struct CallsAsked {
  std::vector<tools::Tool> tools;  ///< those that may be called
  bool is_required = false;        ///< nothing but calls, at least one
  bool are_many = true;            ///< else the answer ends behind the first
};

/// Throws Error(kData) that names the place of what cannot be held, such as
/// "tools: [0].function.parameters.properties.a ...".
[[nodiscard]] std::string calls_tag(const CallsAsked& asked,
                                    const tools::CallSyntax& syntax);

}  // namespace penstock::grammar

// Calls of tools as results have them:
//   {"tool_calls": [{"id": "call_...", "type": "function",
//                    "function": {"name": ..., "arguments": "{...}"}}]}
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/tools/call_reader.h"
#include "penstock/request.h"
#include "penstock/value.h"

namespace penstock::gemma {

/// Whether the request names tools that may be called.
[[nodiscard]] bool has_tools(const Request& request);

/// `first`: how many calls of the answer came before. Ids are the same whenever
/// the same is asked, and others in each turn of a conversation.
[[nodiscard]] std::string call_json(const std::vector<tools::ToolCall>& calls,
                                    const Tokens& prompt, int branch,
                                    std::size_t first);

/// The same as it comes: a call with its name and no arguments, or, of the call
/// that began last,
///   {"tool_call_more": [{"function": {"arguments": "..."}}]}
[[nodiscard]] std::string call_part_json(const tools::CallPart& part,
                                         const Tokens& prompt, int branch,
                                         std::size_t number);

}  // namespace penstock::gemma

// A request's `tools`, as OpenAI's API writes them:
//   [{"type": "function", "function": {"name": ..., "description": ...,
//     "parameters": {a JSON schema}, "strict": true}}]
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "penstock/json.h"

namespace penstock::tools {

inline constexpr std::size_t kMostTools = 128;
inline constexpr std::size_t kMostNameBytes = 64;

/// Letters, digits, _ and -.
[[nodiscard]] bool may_be_in_name(char byte);

struct Tool {
  std::string name;
  std::string description;
  JsonValue
      parameters;     ///< an object's schema; that of none where none is said
  std::string place;  ///< "[0].function.parameters"
};

/// Throws Error(kData), from the view that is wrong.
[[nodiscard]] std::vector<Tool> tools_of(const JsonView& tools);

}  // namespace penstock::tools

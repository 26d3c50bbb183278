// How a program tells a prompt that is longer than its model takes from other
// mistakes: protocols have a code of their own for it.
#pragma once

#include <string_view>

#include "penstock/error.h"

namespace penstock {

/// How a stage begins such an error: "the prompt has 600 tokens, ...".
inline constexpr std::string_view kPromptHas = "the prompt has ";

[[nodiscard]] inline bool is_too_long(const Error& error) {
  return error.code() == Code::kData && error.text().starts_with(kPromptHas);
}

}  // namespace penstock

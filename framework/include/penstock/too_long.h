// How a program tells what is more than a pipeline takes from other mistakes: a
// prompt that is too long, for which protocols have a code of their own, and
// more answers than run at once.
#pragma once

#include <string_view>

#include "penstock/error.h"

namespace penstock {

/// How a stage begins such an error: "the prompt has 600 tokens, ...".
inline constexpr std::string_view kPromptHas = "the prompt has ";

/// How the runtime begins the other: "the request runs 64 branches ...".
inline constexpr std::string_view kRequestRuns = "the request runs ";

[[nodiscard]] inline bool is_too_long(const Error& error) {
  return error.code() == Code::kData && error.text().starts_with(kPromptHas);
}
[[nodiscard]] inline bool is_too_wide(const Error& error) {
  return error.code() == Code::kData && error.text().starts_with(kRequestRuns);
}

}  // namespace penstock

// A template's source as statements.
#pragma once

#include <string_view>

#include "gemma/jinja/syntax.h"

namespace penstock::gemma::jinja {

/// Throws Error(kData) naming the line and what was expected there.
[[nodiscard]] Block parse(std::string_view source);

}  // namespace penstock::gemma::jinja

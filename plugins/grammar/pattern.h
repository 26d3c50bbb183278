// `pattern` and `patternProperties`: regular expressions inside JSON strings.
#pragma once

#include <string>
#include <string_view>

#include "penstock/json.h"

namespace penstock::grammar {

/// Throws Error(kData) for what would need a character that JSON escapes, or
/// for anchors that are not around the whole.
void check_pattern(const JsonView& pattern);
/// The same of a text; `place`: what it stands in.
void check_pattern_text(const std::string& pattern, const JsonView& place);

/// The pattern as xgrammar takes it: ASCII alone, and \S of no space that
/// Unicode has.
[[nodiscard]] std::string plain_pattern(std::string_view pattern);

}  // namespace penstock::grammar

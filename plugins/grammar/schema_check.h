// What of a JSON schema can be held, said before it is compiled: each keyword
// that would be left out, and each that would take too long, with its place.
#pragma once

#include <string>

namespace penstock::grammar {

/// Throws Error(kData) whose text begins "json_schema: a.b[2] ".
void check_schema(const std::string& text);

}  // namespace penstock::grammar

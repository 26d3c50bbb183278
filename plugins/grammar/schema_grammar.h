// A JSON schema as a grammar that holds it exactly.
#pragma once

#include <string>

namespace penstock::grammar {

/// In EBNF, as xgrammar reads it. `any_whitespace`: between the parts of the
/// JSON. Throws Error(kData) that names the place of what cannot be held, and
/// of what would take too long; "json_schema: properties.a ...".
[[nodiscard]] std::string schema_grammar(const std::string& schema,
                                         bool any_whitespace);

}  // namespace penstock::grammar

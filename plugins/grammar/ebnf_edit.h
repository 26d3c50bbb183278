// The grammar of a schema, with what xgrammar's converter does not do.
#pragma once

#include <cstdint>
#include <string>

#include "grammar/schema_lower.h"

namespace penstock::grammar {

/// Strings that may be longer count their characters as they come. Each
/// character of the others is prepared, which makes them fast.
inline constexpr std::int64_t kMostPrepared = 64;

/// `ebnf`: xgrammar's of `schema.text`. Its markers become strings of a length,
/// and names that are none of the listed.
[[nodiscard]] std::string edit_ebnf(std::string ebnf,
                                    const LoweredSchema& schema);

}  // namespace penstock::grammar

// A schema as a grammar of FunctionGemma's arguments:
// {city:<escape>Oslo<escape>,days:3}.
#pragma once

#include <string>

#include "penstock/json.h"

namespace penstock::grammar {

/// In EBNF; its root is an object's arguments, members by their names, as the
/// model's template sorts them. Texts hold no "<e". Throws Error(kData), from
/// the view of what cannot be held.
[[nodiscard]] std::string escaped_grammar(const JsonView& schema);

}  // namespace penstock::grammar

// Grammars that would take too long to prepare.
#pragma once

#include <string>

namespace penstock::grammar {

/// Throws Error(kData) that names the dearest rule. `ebnf`: a grammar as
/// xgrammar prints it.
void check_cost(const std::string& ebnf);

}  // namespace penstock::grammar

// Grammars that would take too long to prepare.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::grammar {

/// What it comes to. Throws Error(kData) that names the dearest rule where that
/// is more than kMostCost. `ebnf`: a grammar as xgrammar prints it.
std::int64_t check_cost(const std::string& ebnf);

}  // namespace penstock::grammar

// Names of members that a schema does not list.
#pragma once

#include <string>
#include <vector>

namespace penstock::grammar {

/// EBNF rules; `rule` is a JSON string that is none of `names`. It has no
/// escapes, which could spell one, and parts from each name within its first
/// characters, since each that is looked at takes time to prepare.
[[nodiscard]] std::string other_name_rules(
    const std::string& rule, const std::vector<std::string>& names);

}  // namespace penstock::grammar

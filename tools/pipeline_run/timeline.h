// What several steps found in one recording, in the order of time.
#pragma once

#include <string>
#include <vector>

namespace penstock::run {

/// Of results as step_json() writes them: {"timeline": [...]} with every entry
/// of a list in them that has `time` or `begin`, its step named; "": there is
/// none.
[[nodiscard]] std::string timeline(const std::vector<std::string>& results);

}  // namespace penstock::run

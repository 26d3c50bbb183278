// Regular expressions that would take too long.
#pragma once

#include <string>
#include <string_view>

namespace penstock::grammar {

/// Throws Error(kData) for one that is too long, nested too deep, or whose
/// counts multiply to too many repetitions. `place`: where it stands.
void check_regex(std::string_view regex, const std::string& place);

}  // namespace penstock::grammar

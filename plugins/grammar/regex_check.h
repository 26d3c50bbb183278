// Regular expressions that would take too long.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::grammar {

/// Throws Error(kData) for one that is too long, nested too deep, or whose
/// counts multiply to too many repetitions. `place`: where it stands. Gives
/// what its places cost together, as place_cost() counts.
std::int64_t check_regex(std::string_view regex, const std::string& place);

}  // namespace penstock::grammar

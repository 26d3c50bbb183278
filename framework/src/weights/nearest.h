// Finds what somebody probably meant.

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace penstock::weights {

/// Names and their places in a list.
using Index = std::map<std::string_view, std::size_t>;

/// "; the nearest is 'x'" for the name in `index` that takes the fewest edits
/// to become `name`; "" when `index` is empty.
[[nodiscard]] std::string nearest_hint(const Index& index,
                                       std::string_view name);

}  // namespace penstock::weights

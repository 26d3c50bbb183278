// What the formats of JSON Schema look like, as regular expressions.
#pragma once

#include <string>
#include <string_view>

namespace penstock::grammar {

/// Matches texts of the format alone; of some formats not all, where a regex
/// cannot say it or would be large: names of hosts have four labels of 16
/// characters at most. Empty: the format is not known.
[[nodiscard]] std::string format_pattern(std::string_view format);

}  // namespace penstock::grammar

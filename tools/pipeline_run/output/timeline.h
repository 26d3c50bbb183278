// What several steps found in one recording, in the order of time.
#pragma once

#include <string>
#include <vector>

namespace penstock::run {

/// Of results as step_json() writes them: {"timeline": [...]} with every entry
/// of a list in them that has `time` or `begin`, its step named; "": there is
/// none.
[[nodiscard]] std::string timeline(const std::vector<std::string>& results);
/// The same drawn, as an SVG file: a lane for each step, time to the right;
/// "": there is nothing with a time.
[[nodiscard]] std::string timeline_svg(const std::vector<std::string>& results);

}  // namespace penstock::run

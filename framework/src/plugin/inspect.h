// The look at a library before it may run.
#pragma once

#include <string>
#include <string_view>

namespace penstock::plugin {

/// What a text of ABI facts has that does not fit this libpenstock, and what
/// to do: "it was built for another SDK: ..."; empty: it fits.
[[nodiscard]] std::string abi_problem(std::string_view library_text);

/// "build it against this SDK: penstock 0.1.0 (...)".
[[nodiscard]] std::string build_advice();

}  // namespace penstock::plugin

// A wrong command line, in one line that says what to write instead.
#pragma once

#include <CLI/CLI.hpp>

#include "penstock/error.h"

namespace penstock {

/// Of an app that could not parse; Error(kUsage).
[[nodiscard]] Error usage_error(const CLI::App& app,
                                const CLI::ParseError& error);

}  // namespace penstock

// What the tests of the programs share: a shell, damaged models.
#pragma once

#include <string>
#include <vector>

#include "tests/framework/plugin/run_program.h"

namespace penstock::cli {

/// Runs a line in a shell that knows $RUN, $SERVE, $TINY, $BAD, $PICK, $T,
/// $PLUGINS.
[[nodiscard]] Ran shell(const std::string& line);
/// The same for `$RUN $TINY <arguments>`.
[[nodiscard]] Ran run_tiny(const std::string& arguments);

/// A text's lines, without their ends.
[[nodiscard]] std::vector<std::string> lines(const std::string& text);

/// A folder with models damaged each in one way, and broken pipelines; made
/// once, removed at the end.
[[nodiscard]] const std::string& damaged_folder();

}  // namespace penstock::cli

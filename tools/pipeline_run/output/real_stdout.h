// Results alone go to standard output. What stages print to theirs would be
// read as results, so theirs is standard error.
#pragma once

namespace penstock::run {

/// From now on stdout is stderr, and results_descriptor() what stdout was.
void keep_stdout_for_results();
[[nodiscard]] int results_descriptor();

}  // namespace penstock::run

// A conversation in the terminal: lines in, answers out, with all that was said
// before them. Ctrl-C stops an answer, not the program.
#pragma once

#include <optional>
#include <string>

#include "penstock/runner.h"
#include "pipeline_run/input/stop.h"
#include "pipeline_run/output/output.h"
#include "pipeline_run/signals.h"

namespace penstock::run {

/// Throws Error(kUsage) where no step reads the request's conversation.
void check_chat(const CompositionFile& file);

/// Answers are what the last step says. Until the end of stdin, /exit, or a
/// second Ctrl-C in a row. The first error of an answer, where nobody at a
/// terminal has seen it.
[[nodiscard]] std::optional<Error> chat(Runner& runner, Output& output,
                                        Signals& signals, const Stop& stop,
                                        double timeout_s);

}  // namespace penstock::run

// A conversation in the terminal: lines in, answers out, with all that was said
// before them. Ctrl-C stops an answer, not the program.
#pragma once

#include <optional>
#include <string>

#include "penstock/pipeline.h"
#include "pipeline_run/input/stop.h"
#include "pipeline_run/output/output.h"
#include "pipeline_run/signals.h"

namespace penstock::run {

/// Throws Error(kUsage) where the pipeline reads no conversations.
void check_chat(const PipelineFile& file);

/// Until the end of stdin, /exit, or a second Ctrl-C in a row. The first error
/// of an answer, where nobody at a terminal has seen it.
[[nodiscard]] std::optional<Error> chat(Pipeline& pipeline, Output& output,
                                        Signals& signals, const Stop& stop,
                                        double timeout_s);

}  // namespace penstock::run

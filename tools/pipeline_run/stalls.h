// What people read when a stage does not return.
#pragma once

#include "penstock/pipeline.h"
#include "pipeline_run/options.h"
#include "pipeline_run/signals.h"

namespace penstock::run {

/// Lets the pipeline tell of stages that do not return, on stderr; where a
/// request is past its deadline or was stopped and nothing goes on, ends the
/// program: with the signal's code after one. `signals` must outlive the run.
void report_stalls(const Options& options, const Signals& signals,
                   PipelineOptions& chosen);

}  // namespace penstock::run

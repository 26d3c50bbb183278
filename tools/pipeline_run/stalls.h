// What people read when a stage does not return.
#pragma once

#include "penstock/pipeline.h"
#include "pipeline_run/options.h"

namespace penstock::run {

/// Lets the pipeline tell of stages that do not return, on stderr; where a
/// request is past its deadline and nothing goes on, ends the program.
void report_stalls(const Options& options, PipelineOptions& chosen);

}  // namespace penstock::run

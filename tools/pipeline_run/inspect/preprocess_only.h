// --until preprocess: what the model would see, without a model.
#pragma once

#include "penstock/pipeline_file.h"
#include "pipeline_run/input/inputs.h"
#include "pipeline_run/inspect/watch.h"
#include "pipeline_run/options.h"
#include "pipeline_run/output/output.h"

namespace penstock::run {

/// Prints what preprocess makes of every request; the exit code of the first
/// that failed, or 0.
[[nodiscard]] int preprocess_only(const Options& options, PipelineFile file,
                                  Output& output, Watch& watch);

}  // namespace penstock::run

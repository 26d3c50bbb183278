// --until preprocess: what the model would see, without a model.
#pragma once

#include "inputs.h"
#include "options.h"
#include "output.h"
#include "penstock/pipeline_file.h"
#include "watch.h"

namespace penstock::run {

/// Prints what preprocess makes of every request; the exit code of the first
/// that failed, or 0.
[[nodiscard]] int preprocess_only(const Options& options, PipelineFile file,
                                  Output& output, Watch& watch);

}  // namespace penstock::run

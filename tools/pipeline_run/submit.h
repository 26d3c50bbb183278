// From inputs to requests in flight.
#pragma once

#include <functional>
#include <memory>

#include "penstock/runner.h"
#include "pipeline_run/input/inputs.h"
#include "pipeline_run/input/stop.h"
#include "pipeline_run/options.h"
#include "pipeline_run/output/printer.h"

namespace penstock::run {

/// What stands between the runner and a printer's sink: --dump, steps.
using Wrap =
    std::function<std::shared_ptr<ResultSink>(std::shared_ptr<ResultSink>)>;

/// Submits every input in order, until a stop; what cannot be submitted is
/// told by `printer` in its turn.
void submit_all(const Options& options, Runner& runner, const Wrap& wrap,
                Printer& printer, const Inputs& inputs, const Stop& stop);

}  // namespace penstock::run

// From inputs to requests in flight, for a pipeline or a composition.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "pipeline_run/input/inputs.h"
#include "pipeline_run/input/stop.h"
#include "pipeline_run/options.h"
#include "pipeline_run/output/printer.h"

namespace penstock::run {

/// What runs the requests.
struct Target {
  /// Throws Error where submit() would refuse the request.
  std::function<void(const Request&)> check;
  std::function<std::stop_source(Request, std::shared_ptr<ResultSink>)> submit;
  std::function<std::shared_ptr<void>()> more_coming;
};

/// Submits every input in order, until a stop; what cannot be submitted is
/// told by `printer` in its turn.
void submit_all(const Options& options, const Target& target, Printer& printer,
                const Inputs& inputs, const Stop& stop);

}  // namespace penstock::run

#include "pipeline_run/inspect/preprocess_only.h"

#include <iostream>
#include <utility>

#include "common/harmless.h"
#include "pipeline_run/input/files.h"

namespace penstock::run {
namespace {

void preprocess(PreprocessOnly& pipeline, const Input& input, Watch& watch) {
  const Request& request = input.request;
  if (input.error) throw Error(*input.error).in(Place::input(input.place));
  Report report;
  report.finish_reason = "end";
  try {
    for (const Item& item : pipeline.run(request, &report.warnings)) {
      watch.item(request, item);
    }
  } catch (const Error& error) {
    report.ending = Ending::kError;
    report.finish_reason = "error";
    report.error = error;
  }
  for (const std::string& text : report.warnings) {
    std::cerr << "pipeline-run: request '" << request.id << "': " << text
              << "\n";
  }
  watch.done(request, report);
  if (report.error) throw Error(*report.error);
}

}  // namespace

int preprocess_only(const Options& options, PipelineFile file, Output& output,
                    Watch& watch) {
  const Stop stop;  // a signal ends the process at once
  int code = 0;
  const Inputs inputs = open_inputs(options, file, stop);
  PreprocessOnly pipeline(std::move(file));
  while (auto input = inputs.next()) {
    try {
      preprocess(pipeline, *input, watch);
    } catch (const Error& error) {
      std::cerr << "pipeline-run: request " << harmless_name(input->request.id)
                << ": " << harmless(error.what()) << "\n";
      if (code == 0) code = static_cast<int>(error.code());
    }
    if (output.is_closed() || output.error() || watch.error()) break;
  }
  return code;
}

}  // namespace penstock::run

#include "pipeline_run/stalls.h"

#include <cstdlib>
#include <iostream>

#include "common/program.h"
#include "common/stall_text.h"

namespace penstock::run {
namespace {

void tell(const Stall& stall, const Signals& signals) {
  if (!stall.is_late) {
    std::cerr << "pipeline-run: " + stall_text(stall) + "\n" +
                     stall_details(stall)
              << std::flush;
    return;
  }
  const int code =
      complain("pipeline-run",
               Error(stall.is_cancelled ? Code::kCancelled : Code::kRetry,
                     str(stall.is_cancelled ? "stopped" : "the deadline passed",
                         ", but ", stall_text(stall), "; the run ends here")));
  // What was written is whole; what hangs cannot be joined.
  std::_Exit(signals.exit_code() != 0 ? signals.exit_code() : code);
}

}  // namespace

void report_stalls(const Options& options, const Signals& signals,
                   PipelineOptions& chosen) {
  chosen.stall_s = options.stall_s;
  chosen.on_stall = [&signals](const Stall& stall) { tell(stall, signals); };
}

}  // namespace penstock::run

#include "pipeline_run/stalls.h"

#include <cmath>
#include <cstdlib>
#include <iostream>

#include "common/program.h"

namespace penstock::run {
namespace {

void tell(const Stall& stall) {
  const std::string what = str(stall.place, " has not returned for ",
                               std::round(stall.seconds * 10) / 10, " s",
                               stall.request.empty() ? "" : ", request '",
                               stall.request, stall.request.empty() ? "" : "'");
  if (!stall.is_late) {
    std::cerr << str("pipeline-run: ", what, "\n") << std::flush;
    return;
  }
  const int code = complain(
      "pipeline-run", Error(Code::kRetry, str("the deadline passed, but ", what,
                                              "; the run ends here")));
  // What was written is whole; what hangs cannot be joined.
  std::_Exit(code);
}

}  // namespace

void report_stalls(const Options& options, PipelineOptions& chosen) {
  chosen.stall_s = options.stall_s;
  chosen.on_stall = tell;
}

}  // namespace penstock::run

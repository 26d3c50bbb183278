#include "pipeline_run/stalls.h"

#include <cmath>
#include <cstdlib>
#include <iostream>

#include "common/harmless.h"
#include "common/program.h"

namespace penstock::run {
namespace {

/// Where the thread is and how full the queues are, a line each.
std::string details(const Stall& stall) {
  constexpr std::size_t kMostLines = 16;
  std::string out;
  for (std::size_t i = 0; i < stall.stack.size() && i < kMostLines; ++i) {
    out += "  at " + harmless(stall.stack[i]) + "\n";
  }
  const char* before = "  ";
  for (const QueueFill& each : stall.queues) {
    out += str(before, each.name, ": ", each.count);
    if (each.most > 0) out += str(" of ", each.most);
    before = "; ";
  }
  return stall.queues.empty() ? out : out + "\n";
}

void tell(const Stall& stall, const Signals& signals) {
  const std::string what = str(stall.place, " has not returned for ",
                               std::round(stall.seconds * 10) / 10, " s",
                               stall.request.empty() ? "" : ", request '",
                               stall.request, stall.request.empty() ? "" : "'");
  if (!stall.is_late) {
    std::cerr << str("pipeline-run: ", harmless(what),
                     stall.is_overdue ? ", past its deadline\n" : "\n",
                     details(stall))
              << std::flush;
    return;
  }
  const int code =
      complain("pipeline-run",
               Error(stall.is_cancelled ? Code::kCancelled : Code::kRetry,
                     str(stall.is_cancelled ? "stopped" : "the deadline passed",
                         ", but ", what, "; the run ends here")));
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

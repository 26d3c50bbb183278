#include "pipeline_run/output/real_stdout.h"

#include <fcntl.h>
#include <unistd.h>

#include "penstock/error.h"

namespace penstock::run {
namespace {

// NOLINTNEXTLINE(*-avoid-non-const-global-variables): as stdout itself is
int results = STDOUT_FILENO;

}  // namespace

void keep_stdout_for_results() {
  const int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (kept < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    throw Error(Code::kRetry, "no file descriptor is left");
  }
  results = kept;
}

int results_descriptor() { return results; }

}  // namespace penstock::run

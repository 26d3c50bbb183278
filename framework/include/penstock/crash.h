// The last words of a program that a stage brings down.
#pragma once

#include "penstock/export.h"

namespace penstock {

/// From now on a signal such as SIGSEGV or SIGABRT, and std::terminate, print
/// one line first: `program`, what happened, and the stage and the request that
/// the thread was at. Then the process dies as it would have. A stage that
/// calls exit() is told of alike, and the code is 70. Signals that somebody
/// handles already, as sanitizers do, are left alone. `program` must live as
/// long as the process.
PENSTOCK_API void report_crashes(const char* program);

}  // namespace penstock

// The exit code of a run, and its last words.
#pragma once

#include "pipeline_run/options.h"
#include "pipeline_run/output/output.h"
#include "pipeline_run/output/printer.h"
#include "pipeline_run/signals.h"

namespace penstock::run {

/// Says what was wrong; gives its code.
int complain(const Error& error);
/// `code`, unless nobody read the results or they found no room.
[[nodiscard]] int exit_code(const Output& output, int code);
/// After all requests: of signals, of the results, of their errors.
[[nodiscard]] int exit_code(const Options& options, const Printer& printer,
                            const Output& output, const Signals& signals);

}  // namespace penstock::run

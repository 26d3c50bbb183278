#include "pipeline_run/exit_code.h"

#include <iostream>

#include "common/harmless.h"

namespace penstock::run {

int complain(const Error& error) {
  std::cerr << "pipeline-run: " << harmless(error.what()) << "\n";
  return static_cast<int>(error.code());
}

int exit_code(const Output& output, int code) {
  if (output.is_closed()) return 0;
  const auto error = output.error();
  return error ? complain(*error) : code;
}

int exit_code(const Options& options, const Printer& printer,
              const Output& output, const Signals& signals) {
  if (signals.exit_code() != 0) return signals.exit_code();
  const auto error = printer.first_error();
  if (!error) return exit_code(output, 0);
  // Of many lines some failed: the data was at fault, whatever the reason.
  return exit_code(
      output, static_cast<int>(options.jsonl.empty() && options.files.size() < 2
                                   ? error->code()
                                   : Code::kData));
}

}  // namespace penstock::run

// --memory and --memory-limit: what a run will take, told and held against what
// there is before anything is loaded.
#pragma once

#include <string>

#include "penstock/composition_file.h"
#include "pipeline_run/options.h"
#include "pipeline_run/output/output.h"

namespace penstock::run {

/// "512M", "1.5G", "2GiB", "800000000": bytes; K, M, G and T are powers of
/// 1024. Throws Error(kUsage).
[[nodiscard]] std::int64_t parse_size(const std::string& text);

/// Prints the plan of the run, a table or with --json one line. Throws
/// Error(kData) where it does not fit.
void print_memory(const Options& options, const CompositionFile& file,
                  Output& output);

/// Throws Error(kData) where the run cannot fit: within --memory-limit as much
/// as is asked at once, else its models and one sequence.
void check_memory(const Options& options, const CompositionFile& file);

}  // namespace penstock::run

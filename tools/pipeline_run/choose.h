// What the flags mean for the file they are given with: which step is looked
// at, which steps need not run, and what the stages are asked for.
#pragma once

#include "penstock/composition_file.h"
#include "pipeline_run/options.h"

namespace penstock::run {

/// Finds the step that --show and --until mean, and takes away the steps that
/// --until does without: those not above it. Throws Error(kUsage) where the
/// step is missing or unknown.
void choose_steps(const Options& options, CompositionFile& file);

/// --show and --dump turn on what stages can tell about themselves, where they
/// can, and --render what they can draw. Throws Error(kUsage) where nothing
/// draws.
void ask_stages(const Options& options, CompositionFile& file);

/// Whether --show and --until look at this step.
[[nodiscard]] bool is_looked_at(const Options& options,
                                const std::string& step);

}  // namespace penstock::run

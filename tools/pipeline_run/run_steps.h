// Runs a composition: a file with `steps:`.
#pragma once

#include <filesystem>

#include "penstock/plugin_host.h"
#include "pipeline_run/options.h"
#include "pipeline_run/signals.h"

namespace penstock::run {

/// Gives the exit code; throws Error.
int run_steps(const Options& options, const std::filesystem::path& path,
              PluginHost& plugins, Signals& signals);

}  // namespace penstock::run

// Runs a composition: a file with `steps:`.
#pragma once

#include <filesystem>

#include "options.h"
#include "penstock/plugin_host.h"
#include "signals.h"

namespace penstock::run {

/// Gives the exit code; throws Error.
int run_steps(const Options& options, const std::filesystem::path& path,
              PluginHost& plugins, Signals& signals);

}  // namespace penstock::run

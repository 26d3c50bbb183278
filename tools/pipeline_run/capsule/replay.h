// --replay: runs the one call that a capsule keeps.
#pragma once

#include "penstock/plugin_host.h"
#include "pipeline_run/options.h"

namespace penstock::run {

/// Says what the call made, or throws what it throws.
int replay_capsule(const Options& options, PluginHost& plugins);

}  // namespace penstock::run

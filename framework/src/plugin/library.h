// Opens plugin libraries, for good: a stage, a tensor or an exception may
// outlive whoever asked for it, so its code stays until the process ends.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "penstock/plugin_host.h"

namespace penstock {

class Registry;

namespace plugin {

/// Opens a library that passed inspect_plugin(), looks at its entry and lets it
/// add its stages; what a person should know of it goes to `warnings`. Throws
/// Error(kInternal) with the path and what to do.
[[nodiscard]] std::unique_ptr<Registry> open_plugin(
    const PluginFacts& facts, std::vector<std::string>& warnings);

/// The Error(kInternal) of a plugin that cannot be used because of `problem`.
[[nodiscard]] Error unusable(const PluginFacts& facts,
                             const std::string& problem);

}  // namespace plugin
}  // namespace penstock

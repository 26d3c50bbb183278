// Parses YAML under limits. The only place that knows yaml-cpp.
#pragma once

#include <string>

#include "config/problems.h"
#include "config/yaml_node.h"

namespace penstock::config {

/// Adds duplicate keys, keys that are no scalars and tags to `problems` and
/// goes on without them. Throws ConfigError, with what was found so far, for
/// what is not YAML or breaks a limit: depth, aliases, expanded size, cycles,
/// a second document. Null for an empty file.
[[nodiscard]] NodePtr read_yaml(const std::string& text, Problems& problems);

}  // namespace penstock::config

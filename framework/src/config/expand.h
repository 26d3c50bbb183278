// ${VAR} and ${VAR:-default} in the values of a pipeline file.
#pragma once

#include <string>

#include "config/yaml_node.h"
#include "penstock/params.h"

namespace penstock::config {

/// The scalar with its variables replaced; `$$` is a `$`. A quoted scalar
/// that is one variable and nothing else counts as plain: inside of { } YAML
/// allows it only in quotes. Throws Error(kData).
[[nodiscard]] RawScalar expanded(const YamlNode& scalar);

}  // namespace penstock::config

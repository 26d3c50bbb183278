// Which pipeline file does a name on the command line mean?
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "penstock/composition_file.h"

namespace penstock::run {

/// A path that exists; else, for a bare name with or without `.yaml`, the file
/// of that name in the pipelines that came with this program. Throws
/// Error(kNotFound) with the nearest name.
[[nodiscard]] std::filesystem::path find_pipeline(const std::string& name);

/// Loads the file that find_pipeline() finds, with the environment's overrides
/// under `overrides`. Its steps lie beside it, or came along.
[[nodiscard]] CompositionFile load_named(
    const std::string& name, StageCatalog& catalog,
    const std::vector<Override>& overrides);

}  // namespace penstock::run

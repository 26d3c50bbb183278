// Which pipeline file does a name on the command line mean?
#pragma once

#include <filesystem>
#include <string>

namespace penstock::run {

/// A path that exists; else, for a bare name with or without `.yaml`, the file
/// of that name in the pipelines that came with this program. Throws
/// Error(kNotFound) with the nearest name.
[[nodiscard]] std::filesystem::path find_pipeline(const std::string& name);

}  // namespace penstock::run

// What all our programs do alike.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace penstock {

/// A program started with 0, 1 or 2 closed would get those numbers for its own
/// files.
void open_standard_streams();

/// The search path with the folders of --plugin-path first; those must be
/// there. Throws Error(kNotFound).
[[nodiscard]] std::vector<std::filesystem::path> plugin_search_path(
    const std::vector<std::string>& named);

}  // namespace penstock

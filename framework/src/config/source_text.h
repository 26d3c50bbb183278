// The bytes of a pipeline file, checked before any parser sees them.
#pragma once

#include <filesystem>
#include <string>

#include "config/problems.h"

namespace penstock::config {

/// Throws Error(kNotFound) where there is no file, and ConfigError for a
/// folder, more than 1 MiB, invalid UTF-8 or a NUL.
[[nodiscard]] std::string read_source(const std::filesystem::path& path,
                                      Problems& problems);

}  // namespace penstock::config

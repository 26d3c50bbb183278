// The whole look at a plugin library.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "pipeline_check_plugin/finding.h"

namespace penstock::check {

/// Looks at the file, then opens it and tries each stage, each in a process of
/// its own. Throws Error(kNotFound) where there is no file.
[[nodiscard]] Findings check_plugin(const std::filesystem::path& library,
                                    std::chrono::seconds patience);

[[nodiscard]] bool has_faults(const Findings& findings);
/// For a person: under each name what was found.
[[nodiscard]] std::string as_text(const Findings& findings);
[[nodiscard]] std::string as_json(const Findings& findings);

}  // namespace penstock::check

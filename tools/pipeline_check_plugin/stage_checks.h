// What a stage does when it is tried, in the process that tries it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "pipeline_check_plugin/finding.h"

namespace penstock::check {

/// Tells each finding as soon as it is known: the next thing may crash.
using Tell = std::function<void(Level, const std::string&)>;

/// Opens the plugin; tells of each stage, with a note "stage NAME".
void try_plugin(const std::filesystem::path& folder, const std::string& plugin,
                const Tell& tell);
/// Makes the stage, opens it and runs it, again and again.
void try_stage(const std::filesystem::path& folder, const std::string& stage,
               const Tell& tell);

}  // namespace penstock::check

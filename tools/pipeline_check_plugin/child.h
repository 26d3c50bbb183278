// A stage is tried in a process of its own: whatever it does there, this one
// goes on and says what it was.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "pipeline_check_plugin/finding.h"

namespace penstock::check {

/// The first argument that makes this program such a child; then the folder of
/// the plugin, the stage, and the number of the descriptor for what it finds.
inline constexpr const char* kChildFlag = "--child";

/// Starts this program again to try a stage, or to open the plugin where
/// `stage` is empty.
[[nodiscard]] Findings in_child(const std::filesystem::path& folder,
                                const std::string& plugin,
                                const std::string& stage,
                                std::chrono::seconds patience);

/// One finding as a line, and back.
[[nodiscard]] std::string line_of(const Finding& finding);

}  // namespace penstock::check

// Asks a plugin for its stages in a child process: what its constructors do
// (crash, exit, hang) cannot take this program along.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace penstock::inspect {

struct Question {
  std::string use;   ///< "plugin", or "plugin.stage"
  std::string form;  ///< "lines", "text" or "json"
  std::vector<std::filesystem::path> folders;
};

/// The answer in that form; JSON is a list of stages. Throws what PluginHost
/// throws, and Error(kInternal) when the child ended, crashed, or was not done
/// within 5 seconds.
[[nodiscard]] std::string ask(const Question& question);

/// The first argument that makes this program such a child.
inline constexpr const char* kProbeFlag = "--probe";

/// The child: answers the question in `arguments` and ends the process.
[[noreturn]] void answer(const std::vector<std::string>& arguments);

}  // namespace penstock::inspect

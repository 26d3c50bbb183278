// Asks a plugin for its stages in a child process: what its constructors do
// (crash, exit, hang) cannot take this program along.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace penstock::inspect {

/// All of them in one child, which any of them may take along.
inline constexpr const char* kEveryPlugin = "*";

struct Question {
  std::string use;   ///< "plugin", "plugin.stage" or kEveryPlugin
  std::string form;  ///< "lines", "text", "json" or "gpus", see gpu_uses.h
  std::vector<std::filesystem::path> folders;
  std::chrono::seconds patience{60};  ///< how long it may take by the clock
};

struct Answer {
  std::string stages;  ///< in that form; JSON is a list of stages
  std::vector<std::string> warnings;
};

/// Throws what PluginHost throws, and Error(kInternal) when the child ended,
/// crashed, computed for more than 5 seconds or ran out of patience: a machine
/// that is busy with other things is no plugin's fault.
[[nodiscard]] Answer ask(const Question& question);

/// The first argument that makes this program such a child.
inline constexpr const char* kProbeFlag = "--probe";

/// The child: answers the question in `arguments` and ends the process.
[[noreturn]] void answer(const std::vector<std::string>& arguments);

}  // namespace penstock::inspect

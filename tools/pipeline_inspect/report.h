// What `pipeline-inspect` says to each kind of question.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "penstock/error.h"

namespace penstock::inspect {

struct Options {
  /// Empty, "plugin", "plugin.stage", or the path of a library or a model.
  std::string subject;
  std::vector<std::filesystem::path> folders;  ///< the search path
  bool is_json = false;
  bool is_schema = false;  ///< the JSON Schema of pipeline files, of all stages
  std::chrono::seconds patience{60};  ///< with a plugin that is being opened
};

/// What to print, and what went wrong beside it: a library that cannot be used
/// is explained all the same.
struct Report {
  std::string text;
  std::vector<Error> problems;
  std::vector<std::string> warnings;
};

/// Throws Error where there is nothing to print.
[[nodiscard]] Report report(const Options& options);

}  // namespace penstock::inspect

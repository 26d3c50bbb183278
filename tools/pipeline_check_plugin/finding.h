// What a check found.
#pragma once

#include <string>
#include <vector>

namespace penstock::check {

enum class Level {
  kOk,     ///< it was looked at and is well
  kNote,   ///< worth knowing, or could not be looked at
  kFault,  ///< for the plugin's author to mend
};

struct Finding {
  Level level = Level::kOk;
  std::string about;  ///< "library", or a stage's name
  std::string text;
};

using Findings = std::vector<Finding>;

}  // namespace penstock::check

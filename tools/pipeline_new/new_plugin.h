// `pipeline-new plugin`: a project that builds, passes its tests and runs.
#pragma once

#include <string>
#include <vector>

namespace penstock::fresh {

struct PluginOptions {
  std::string name;
  std::vector<std::string> stages;  ///< "preprocess:resize", ...
  std::string folder;               ///< to be made; empty: `name`
};

/// Makes the project; gives what to tell. Throws Error: kUsage for names that
/// cannot be and a folder that is there.
[[nodiscard]] std::string new_plugin(const PluginOptions& options);

}  // namespace penstock::fresh

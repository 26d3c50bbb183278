// From the template project, which is a real one with a stage of each kind, to
// the project that somebody wants.
//
// Words stand for names: my_plugin and MY_PLUGIN for the plugin's;
// my_preprocess and MyPreprocess, ... my_postprocess for a stage's. A line that
// names such a stage comes once for each wanted stage of that kind: not at all
// where there is none. A file whose name has the word likewise.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline_new/names.h"

namespace penstock::fresh {

struct Project {
  std::string plugin;
  std::vector<WantedStage> stages;
  std::string penstock;  ///< the folder that has Penstock's lib/ and bin/
};

struct NewFile {
  std::filesystem::path path;  ///< in the project's folder
  std::string text;
};

/// What becomes of one file of the template: none, one or several.
[[nodiscard]] std::vector<NewFile> instances(const NewFile& of,
                                             const Project& project);

}  // namespace penstock::fresh

// `pipeline-new pipeline`: a file of stages that fit together.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline_new/files.h"

namespace penstock::fresh {

struct PipelineFileOptions {
  std::string name;                            ///< with or without .yaml
  std::vector<std::string> uses;               ///< stages that it must have
  std::vector<std::filesystem::path> folders;  ///< the search path
};

/// Writes NAME.yaml into the current folder; says what it has and what could
/// stand in each place instead. Throws Error: kUsage where it is there or where
/// nothing says what it is for.
[[nodiscard]] Told new_pipeline(const PipelineFileOptions& options);

}  // namespace penstock::fresh

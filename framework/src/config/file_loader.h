// A file is parsed once; then it is known whether it is a pipeline or composes
// some.
#pragma once

#include <filesystem>
#include <vector>

#include "config/problems.h"
#include "config/yaml_node.h"
#include "penstock/pipeline_file.h"

namespace penstock::config {

struct ParsedFile {
  std::filesystem::path path;
  Problems problems;  ///< found while parsing
  NodePtr root;       ///< never null

  [[nodiscard]] bool has_steps() const {
    return root->find("steps") != nullptr;
  }
};

/// Throws Error(kNotFound) where there is no file, ConfigError where it is no
/// YAML.
[[nodiscard]] ParsedFile parse_file(const std::filesystem::path& path);

/// Throws ConfigError.
[[nodiscard]] PipelineFile load_pipeline(
    const ParsedFile& parsed, StageCatalog& catalog,
    const std::vector<Override>& overrides);

}  // namespace penstock::config

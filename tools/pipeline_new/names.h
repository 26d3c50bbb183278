// Names that somebody wants for a plugin, its stages or a file.
#pragma once

#include <string>
#include <vector>

#include "penstock/stage_spec.h"

namespace penstock::fresh {

/// A stage that a plugin is to have.
struct WantedStage {
  StageKind kind = StageKind::kPreprocess;
  std::string name;  ///< "resize"
};

/// The five, in order.
[[nodiscard]] const std::vector<StageKind>& kinds();

/// Throws Error(kUsage) where `name` is no name for a plugin: it becomes a C++
/// namespace.
void check_plugin_name(const std::string& name);
/// "classify" of "classify.yaml", and of itself.
[[nodiscard]] std::string without_yaml(const std::string& name);
/// Throws Error(kUsage) where `name` is no name for a pipeline file.
void check_file_name(const std::string& name);

/// Reads "preprocess:resize", ...; throws Error(kUsage) for an unknown kind, a
/// bad name or the same name twice.
[[nodiscard]] std::vector<WantedStage> parse_stages(
    const std::vector<std::string>& texts);

/// "MyResize" of "my_resize".
[[nodiscard]] std::string camel_case(const std::string& name);

}  // namespace penstock::fresh

// Reads `inputs:`, the requests that a pipeline file brings along.
#pragma once

#include <functional>
#include <vector>

#include "config/problems.h"
#include "config/yaml_node.h"
#include "penstock/pipeline_file.h"

namespace penstock::config {

/// Reads the map under `options` into `input`.
using LoadOptions =
    std::function<void(const Entry& options, InputConfig& input)>;

/// Adds a request to `inputs` for each of the list.
void load_inputs(const YamlNode& value, std::vector<InputConfig>& inputs,
                 const LoadOptions& load_options, Problems& problems);

/// Options of a pipeline's stages; `strip` is in front of their names. The
/// stages of `file` are there; those whose `use` was wrong have no spec.
void load_options(const std::vector<Entry>& entries, Mark at,
                  const PipelineFile& file, const std::string& strip,
                  InputConfig& input, Problems& problems);

/// The entries of the map under `options`; none: a problem was added.
[[nodiscard]] std::vector<Entry> option_entries(const Entry& options,
                                                Problems& problems);

}  // namespace penstock::config

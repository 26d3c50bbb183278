// Reads `inputs:`, the requests that a pipeline file brings along.
#pragma once

#include "penstock/pipeline_file.h"
#include "problems.h"
#include "yaml_node.h"

namespace penstock::config {

/// Fills file.inputs. The stages of `file` are there; those whose `use` was
/// wrong have no spec.
void load_inputs(const YamlNode& value, PipelineFile& file, Problems& problems);

}  // namespace penstock::config

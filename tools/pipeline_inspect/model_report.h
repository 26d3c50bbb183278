// What `pipeline-inspect` says of a model file, by its head alone.
#pragma once

#include <string>

#include "pipeline_inspect/report.h"

namespace penstock::inspect {

/// Ports as a Forward that runs it has them, beside what the file says, and
/// its metadata; JSON has all of it. A model that no pipeline can run is a
/// problem beside the text. Throws Error where the file cannot be read.
[[nodiscard]] Report report_model(const std::string& path, bool is_json);

}  // namespace penstock::inspect

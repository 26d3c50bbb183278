// The pipelines that the command line and serve.yaml name, read and checked.
#pragma once

#include <string>
#include <vector>

#include "penstock/composition_file.h"
#include "pipeline_serve/options.h"

namespace penstock::serve {

struct NamedPipeline {
  std::string name;
  CompositionFile file;
};

/// Every file, with its name and what --set says of it. Throws ConfigError with
/// all faults at once, and Error(kUsage) for a --set of none of them.
[[nodiscard]] std::vector<NamedPipeline> load_pipelines(const Options& options,
                                                        StageCatalog& catalog);

}  // namespace penstock::serve

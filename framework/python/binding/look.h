// What can be known of pipelines and stages without loading weights, as
// dictionaries.
#pragma once

#include <nanobind/nanobind.h>

#include "binding/engine.h"

namespace penstock::python {

/// By step: device, bytes of weights, what a sequence takes; the file in force.
[[nodiscard]] nanobind::dict check_file(const FileSource& source);
/// The stages of a plugin; "": of every plugin on the search path.
[[nodiscard]] nanobind::list stages_of(const std::string& plugin,
                                       const std::vector<std::string>& path);

}  // namespace penstock::python

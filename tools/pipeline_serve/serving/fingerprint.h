// Whether a pipeline is still the one its files say.
#pragma once

#include <string>

#include "penstock/composition_file.h"

namespace penstock::serve {

/// Every value in force, wherever it is written, and which model files these
/// are: by size and time. Two that are equal would be opened alike.
[[nodiscard]] std::string fingerprint(const CompositionFile& file);

}  // namespace penstock::serve

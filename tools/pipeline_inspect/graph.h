// A pipeline file as a graph: its stages, what goes from one to the next, and
// of a composition which step feeds which.
#pragma once

#include <string>

#include "penstock/composition_file.h"

namespace penstock::inspect {

/// For Markdown: https://mermaid.js.org.
[[nodiscard]] std::string mermaid(const CompositionFile& file);
/// For Graphviz.
[[nodiscard]] std::string dot(const CompositionFile& file);

}  // namespace penstock::inspect

// Stages as a person or a program reads them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "penstock/stage_spec.h"

namespace penstock::inspect {

/// One line of at most 80 columns a stage: name, kind, start of the doc.
[[nodiscard]] std::string stage_lines(const std::vector<StageSpec>& stages);
/// Doc, ports, layouts, notes, facts and params.
[[nodiscard]] std::string stage_text(const StageSpec& stage);
[[nodiscard]] nlohmann::ordered_json stage_json(const StageSpec& stage);

}  // namespace penstock::inspect

// A JSON Schema of pipeline files, made of the stages that there are: editors
// complete and check with it.
#pragma once

#include <nlohmann/json.hpp>

namespace penstock::inspect {

/// Draft-07. `stages`: a list as stage_json() makes them.
[[nodiscard]] nlohmann::ordered_json schema_of(
    const nlohmann::ordered_json& stages);

}  // namespace penstock::inspect

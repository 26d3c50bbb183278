// Reads one stage of a pipeline file: its type, model, device and params.
#pragma once

#include "config/draft.h"
#include "config/problems.h"

namespace penstock::config {

/// Fills `stage` (its key and kind are set) from the value under its key.
/// `key_at` is the place of problems that have no better one.
void load_stage(const YamlNode& value, Mark key_at, StageCatalog& catalog,
                StageDraft& stage, Problems& problems);

/// What the stage has and does not have: "unknown param 'x' of core.pad, ...".
[[nodiscard]] std::string unknown_param(const StageSpec& spec,
                                        const std::string& param);
/// "; it has: a, b", where there is no suggestion.
[[nodiscard]] std::string param_hint(const StageSpec& spec,
                                     const std::string& param);

}  // namespace penstock::config

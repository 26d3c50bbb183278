// What a library file says of itself beside what this program needs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "penstock/plugin_host.h"

namespace penstock::inspect {

/// The facts of the note beside the host's, line by line.
[[nodiscard]] std::string facts_text(const PluginFacts& plugin);
/// The same as [{key, library, host, compared, differs}, ...]; empty where the
/// file has no note.
[[nodiscard]] nlohmann::ordered_json facts_json(const PluginFacts& plugin);

}  // namespace penstock::inspect

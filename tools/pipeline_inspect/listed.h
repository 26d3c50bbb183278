// Every plugin of the search path, each asked in a child process of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "penstock/plugin_host.h"
#include "pipeline_inspect/probe.h"
#include "pipeline_inspect/report.h"

namespace penstock::inspect {

/// A plugin and what it answered, or why it did not.
struct Listed {
  PluginFacts facts;
  Answer answer;
  std::optional<Error> problem;
};

/// `form`: of the Question.
[[nodiscard]] Listed list_one(const PluginFacts& facts, const std::string& form,
                              const Options& options);
[[nodiscard]] std::vector<Listed> list_all(const std::string& form,
                                           const Options& options);

}  // namespace penstock::inspect

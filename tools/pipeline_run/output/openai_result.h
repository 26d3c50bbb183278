// Results as lines of OpenAI's batch files:
//   {"custom_id": "a", "response": {"status_code": 200, "body": {...}}, ...}
#pragma once

#include <map>
#include <string>

#include "penstock/pipeline.h"
#include "pipeline_run/input/openai_request.h"
#include "pipeline_run/output/json_line.h"

namespace penstock::run {

/// The result's line, with its newline; a failure has OpenAI's status code.
[[nodiscard]] std::string openai_line(const Request& request,
                                      const OpenAiCall& call,
                                      const Report& report,
                                      const std::map<int, Written>& branches);

}  // namespace penstock::run

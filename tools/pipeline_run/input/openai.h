// Lines of OpenAI's batch files, and what their results look like:
//   {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
//    "body": {"model": "...", "messages": [...], "max_tokens": 64}}
//   {"custom_id": "a", "response": {"status_code": 200, "body": {...}}, ...}
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "penstock/pipeline.h"
#include "pipeline_run/output/json_line.h"

namespace penstock::run {

/// What such a line asked for besides its request.
struct OpenAiCall {
  bool is_chat = false;  ///< else /v1/completions
  std::string model;     ///< as written; the pipeline's model runs
};

[[nodiscard]] bool is_openai(const nlohmann::json& line);
/// The same request as one of our own lines (jsonl.h). Throws Error(kData) for
/// what the line may not say, or says of things that there are not here.
[[nodiscard]] nlohmann::json from_openai(const nlohmann::json& line,
                                         OpenAiCall& call);

/// The result's line, with its newline; a failure has OpenAI's status code.
[[nodiscard]] std::string openai_line(const Request& request,
                                      const OpenAiCall& call,
                                      const Report& report,
                                      const std::map<int, Written>& branches);

}  // namespace penstock::run

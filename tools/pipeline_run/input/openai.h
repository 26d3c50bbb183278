// Lines of OpenAI's batch files, and what their results look like:
//   {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
//    "body": {"model": "...", "messages": [...], "max_tokens": 64}}
//   {"custom_id": "a", "response": {"status_code": 200, "body": {...}}, ...}
#pragma once

#include <map>
#include <string>

#include "penstock/json.h"
#include "penstock/pipeline.h"
#include "pipeline_run/output/json_line.h"

namespace penstock::run {

/// What such a line asked for besides its request.
struct OpenAiCall {
  bool is_chat = false;  ///< else /v1/completions
  std::string model;     ///< as written; the pipeline's model runs
};

/// A line with a `custom_id` as one of our own (jsonl.h). Throws Error(kData)
/// for what it may not say, or says of things that there are not here.
[[nodiscard]] JsonValue from_openai(const JsonView& line, OpenAiCall& call);

/// The result's line, with its newline; a failure has OpenAI's status code.
[[nodiscard]] std::string openai_line(const Request& request,
                                      const OpenAiCall& call,
                                      const Report& report,
                                      const std::map<int, Written>& branches);

}  // namespace penstock::run

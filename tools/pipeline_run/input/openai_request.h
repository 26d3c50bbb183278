// Lines of OpenAI's batch files as requests of ours:
//   {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
//    "body": {"model": "...", "messages": [...], "max_tokens": 64}}
#pragma once

#include <string>

#include "penstock/json.h"

namespace penstock::run {

/// What such a line asked for besides its request.
struct OpenAiCall {
  bool is_chat = false;  ///< else /v1/completions
  std::string model;     ///< as written; the pipeline's model runs
};

/// A line with a `custom_id` as one of our own (jsonl.h). Throws Error(kData)
/// for what it may not say, or says of things that there are not here.
[[nodiscard]] JsonValue from_openai(const JsonView& line, OpenAiCall& call);

}  // namespace penstock::run

// Whether an answer is to come in pieces.
#pragma once

#include "pipeline_serve/api/openai/body.h"

namespace penstock::serve {

/// What a body says of how it wants its answer.
struct Streaming {
  bool is_on = false;
  bool has_usage = false;
};
/// Of `stream` and `stream_options`. Throws HttpError.
[[nodiscard]] Streaming streaming_of(const Body& body);

}  // namespace penstock::serve

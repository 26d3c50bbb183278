// A transcript as OpenAI's audio routes give it.
#pragma once

#include <string>
#include <vector>

#include "penstock/pipeline.h"
#include "pipeline_serve/api/sse.h"

namespace penstock::serve {

struct Transcript {
  std::string text;
  OutJson segments = OutJson::array();  ///< with OpenAI's names
  double seconds = 0;                   ///< of the sound
};

/// Of a pipeline's text and its pieces {"segments": [...]}. Joined, the
/// segments' texts are the whole text.
[[nodiscard]] Transcript transcript_of(const std::string& text,
                                       const std::vector<std::string>& pieces,
                                       const Notes& notes);
/// {"type": "duration", "seconds": ...}
[[nodiscard]] OutJson duration_usage(const Transcript& transcript);

}  // namespace penstock::serve

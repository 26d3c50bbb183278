#include "pipeline_serve/api/openai/streaming.h"

namespace penstock::serve {

Streaming streaming_of(const Body& body) {
  Streaming out;
  out.is_on = body.flag("stream");
  const auto options = body.find("stream_options");
  if (!options) return out;
  reading([&] {
    if (!out.is_on) options->fail("is only for stream: true");
    for (const auto& [name, value] : options->members()) {
      const bool is_usage = name == "include_usage";
      if (!is_usage && name != "include_obfuscation") {
        value.fail("is not known here");
      }
      const bool is_wanted = value.value().data.index() != 0 && value.boolean();
      if (is_wanted && !is_usage) value.fail("is not done here");
      out.has_usage = out.has_usage || (is_usage && is_wanted);
    }
  });
  return out;
}

}  // namespace penstock::serve

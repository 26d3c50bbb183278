// What a client asks of any pipeline: a JSON body as a line of pipeline-run's
// --jsonl, or a form with its files. Files of this machine cannot be named.
#pragma once

#include "penstock/composition_file.h"
#include "penstock/request.h"
#include "pipeline_serve/http/message.h"

namespace penstock::serve {

struct PipelineCall {
  Request request;
  bool is_stream = false;  ///< events as they come
};

/// JSON is a line of --jsonl, and `stream`. Of a form, files are inputs by
/// their name, or `file` the only one; `request` is such a line; any other
/// field is a member of it, or else an option. Throws HttpError.
[[nodiscard]] PipelineCall read_pipeline_call(const HttpRequest& http,
                                              const CompositionFile& file);

}  // namespace penstock::serve

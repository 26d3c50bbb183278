// Triton's generate extension: one text in, one text out, as plain JSON; and
// the same as it comes, in Server-Sent Events.
#pragma once

#include "pipeline_serve/http/router.h"
#include "pipeline_serve/serving/served.h"

namespace penstock::serve {

/// {"text_input": "...", "parameters": {...}}; other members are inputs of the
/// pipeline or options. Gives {"text_output": "..."}.
void generate_text(Served& served, Call call);
/// An event for each piece of the text.
void stream_text(Served& served, Call call);

}  // namespace penstock::serve

// What a request's key says of it, as options of pipelines whose Batch knows
// clients (core.continuous): whose it is, with which weight and priority.
#pragma once

#include "penstock/composition_file.h"
#include "penstock/request.h"
#include "pipeline_serve/http/message.h"

namespace penstock::serve {

/// Throws HttpError where the request's options name a client or a weight
/// themselves, or a higher priority than its key may ask for.
void set_client_options(const CompositionFile& file, const HttpRequest& http,
                        Request& request);

}  // namespace penstock::serve

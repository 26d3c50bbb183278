// What the Open Inference Protocol says of the server and its models, as JSON.
#pragma once

#include <string_view>

#include "pipeline_serve/api/sse.h"
#include "pipeline_serve/http/router.h"
#include "pipeline_serve/serving/metrics.h"
#include "pipeline_serve/serving/models.h"

namespace penstock::serve {

/// Name, version and extensions.
[[nodiscard]] OutJson server_metadata();
/// Inputs and outputs, with their types and shapes.
[[nodiscard]] OutJson model_metadata(const Served& served);
/// The statistics extension's: how many requests, and where their time went.
[[nodiscard]] OutJson model_statistics(const Metrics& metrics, Served& served);
/// The model repository extension's list. `body`: {"ready": true} for those
/// that are ready alone; may be empty. Throws Error(kData).
[[nodiscard]] OutJson repository_index(const Models& models,
                                       std::string_view body);

void send_json(const Call& call, const OutJson& json);
/// 200, or 503 with an error; `json` and whether it is.
void send_readiness(const Call& call, bool is_ready, OutJson json);

}  // namespace penstock::serve

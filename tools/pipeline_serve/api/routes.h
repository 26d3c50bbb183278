// The routes of every protocol; each function stands in a file of its name.
#pragma once

#include "pipeline_serve/http/router.h"
#include "pipeline_serve/serving/metrics.h"
#include "pipeline_serve/serving/models.h"

namespace penstock::serve {

/// What handlers work with; outlives them.
struct Api {
  Router& router;
  Models& models;
  Metrics& metrics;
};

void add_health(const Api& api);          ///< /health, /metrics
void add_models(const Api& api);          ///< /v1/models
void add_completions(const Api& api);     ///< /v1/completions
void add_chat(const Api& api);            ///< /v1/chat/completions
void add_responses(const Api& api);       ///< /v1/responses
void add_embeddings(const Api& api);      ///< /v1/embeddings
void add_transcriptions(const Api& api);  ///< /v1/audio/transcriptions, ...
void add_speech(const Api& api);          ///< /v1/audio/speech
void add_pipelines(const Api& api);       ///< /v1/pipelines/{name}
void add_inference(const Api& api);       ///< /v2/...
void add_page(const Api& api);            ///< /

void add_routes(const Api& api);  ///< all of them

}  // namespace penstock::serve

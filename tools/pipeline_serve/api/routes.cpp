#include "pipeline_serve/api/routes.h"

namespace penstock::serve {

void add_routes(const Api& api) {
  add_health(api);
  add_page(api);
  add_models(api);
  add_completions(api);
  add_chat(api);
  add_responses(api);
  add_inference(api);
  add_embeddings(api);
  add_transcriptions(api);
  add_speech(api);
  add_pipelines(api);
}

}  // namespace penstock::serve

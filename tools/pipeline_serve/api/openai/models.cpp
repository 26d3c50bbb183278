// /v1/models: what is served.
#include "pipeline_serve/api/routes.h"
#include "pipeline_serve/api/sse.h"

namespace penstock::serve {
namespace {

OutJson model_json(const Served& served) {
  return {{"id", served.name()},
          {"object", "model"},
          {"created", served.created()},
          {"owned_by", "penstock"}};
}

void send(const Call& call, const OutJson& json) {
  Answer answer;
  answer.body = json_text(json);
  call.reply->send(std::move(answer));
}

void list(const Models& models, const Call& call) {
  OutJson data = OutJson::array();
  for (const Use& served : models.all()) data.push_back(model_json(*served));
  send(call, {{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace

void add_models(const Api& api) {
  const Models& models = api.models;
  api.router.add(
      {.method = "GET",
       .pattern = "/v1/models",
       .handler = [&models](const Call& call) { list(models, call); },
       .is_quick = true});
  api.router.add({.method = "GET",
                  .pattern = "/v1/models/{name}",
                  .handler =
                      [&models](const Call& call) {
                        const Use model =
                            model_named(models, call.parts.at("name"));
                        send(call, model_json(*model));
                      },
                  .is_quick = true});
}

}  // namespace penstock::serve

// The Open Inference Protocol, version 2, over HTTP: what models there are,
// and running them. What is said of models stands in inference_metadata.cpp.
#include <utility>

#include "pipeline_serve/api/inference/inference_batch.h"
#include "pipeline_serve/api/inference/inference_metadata.h"
#include "pipeline_serve/api/inference/text_generation.h"
#include "pipeline_serve/api/routes.h"
#include "pipeline_serve/api/sse.h"

namespace penstock::serve {
namespace {

using OfModel = void (*)(const Api& api, Served& served, Call call);

/// The model of a path, in the version that it may name.
Use model_of(const Api& api, const Call& call) {
  const std::string& name = call.parts.at("name");
  Use served = model_named(api.models, name);
  const auto version = call.parts.find("version");
  if (version == call.parts.end() || version->second == kModelVersion) {
    return served;
  }
  throw http_error(
      404, str("the model '", name, "' has no version '",
               version->second.substr(0, 64), "', only ", kModelVersion));
}

void infer(const Api& /*api*/, Served& served, Call call) {
  const auto signature =
      std::make_shared<const Signature>(signature_of(served.file()));
  const auto length = call.request.fields.get(kHeaderLength);
  if (call.request.fields.has(kHeaderLength) && length.empty()) {
    throw Error(Code::kData, str(kHeaderLength, " is empty"));
  }
  auto request = std::make_shared<InferenceRequest>(
      parse_inference(split_body(call.request.body, length), *signature));
  request->options.check(served.file());
  std::string().swap(call.request.body);
  const auto batch = std::make_shared<InferenceBatch>(
      request->rows.size(), call.reply, call.request.path,
      [signature, request,
       model = served.name()](const std::vector<RowResult>& rows) {
        return inference_answer(*request, model, rows);
      });
  submit_rows(served, *request, batch, call);
  request->rows.clear();
}

void generate(const Api& /*api*/, Served& served, Call call) {
  generate_text(served, std::move(call));
}

void generate_stream(const Api& /*api*/, Served& served, Call call) {
  stream_text(served, std::move(call));
}

void metadata(const Api& /*api*/, Served& served, Call call) {
  send_json(call, model_metadata(served));
}

void ready(const Api& /*api*/, Served& served, Call call) {
  const bool is_ready = served.is_ready() && !served.is_closed();
  send_readiness(call, is_ready, {{"name", served.name()}});
}

void statistics(const Api& api, Served& served, Call call) {
  send_json(call, {{"model_stats",
                    OutJson::array({model_statistics(api.metrics, served)})}});
}

/// With and without a version.
void add_of_model(const Api& api, const std::string& method,
                  const std::string& end, OfModel handler) {
  const bool is_post = method == "POST";
  for (const char* version : {"", "/versions/{version}"}) {
    api.router.add({.method = method,
                    .pattern = str("/v2/models/{name}", version, end),
                    .handler =
                        [api, handler](Call call) {
                          const Use served = model_of(api, call);
                          handler(api, *served, std::move(call));
                        },
                    .takes_media = is_post,
                    .is_quick = !is_post});
  }
}

void add_of_server(const Api& api) {
  const auto add = [&](const std::string& path, bool is_open, auto answer) {
    api.router.add(
        {.method = "GET",
         .pattern = path,
         .handler = [api, answer](const Call& call) { answer(api, call); },
         .is_open = is_open,
         .is_quick = true});
  };
  add("/v2", false, [](const Api& /*api*/, const Call& call) {
    send_json(call, server_metadata());
  });
  add("/v2/health/live", true, [](const Api& /*api*/, const Call& call) {
    send_json(call, {{"live", true}});
  });
  add("/v2/health/ready", true, [](const Api& it, const Call& call) {
    send_readiness(call, it.models.is_ready(), OutJson::object());
  });
  add("/v2/models/stats", false, [](const Api& it, const Call& call) {
    OutJson all = OutJson::array();
    for (const Use& served : it.models.all()) {
      all.push_back(model_statistics(it.metrics, *served));
    }
    send_json(call, {{"model_stats", std::move(all)}});
  });
}

void add_repository(const Api& api) {
  api.router.add({.method = "POST",
                  .pattern = "/v2/repository/index",
                  .handler = [api](const Call& call) {
                    send_json(call,
                              repository_index(api.models, call.request.body));
                  }});
  for (const char* action : {"load", "unload"}) {
    api.router.add({.method = "POST",
                    .pattern = str("/v2/repository/models/{name}/", action),
                    .handler = [](const Call& /*call*/) {
                      throw Error(Code::kData,
                                  "models cannot be loaded or unloaded here: "
                                  "the server has those that it was started "
                                  "with");
                    }});
  }
}

}  // namespace

void add_inference(const Api& api) {
  add_of_server(api);  // first: "stats" is no model
  add_of_model(api, "GET", "", metadata);
  add_of_model(api, "GET", "/ready", ready);
  add_of_model(api, "GET", "/stats", statistics);
  add_of_model(api, "POST", "/infer", infer);
  add_of_model(api, "POST", "/generate", generate);
  add_of_model(api, "POST", "/generate_stream", generate_stream);
  add_repository(api);
}

}  // namespace penstock::serve

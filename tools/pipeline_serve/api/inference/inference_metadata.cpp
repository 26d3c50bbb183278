#include "pipeline_serve/api/inference/inference_metadata.h"

#include <utility>

#include "penstock/sdk_version.h"
#include "pipeline_serve/api/inference/inference_answer.h"
#include "pipeline_serve/api/inference/inference_request.h"
#include "pipeline_serve/api/inference/signature.h"

namespace penstock::serve {
namespace {

/// A tensor as metadata has it: -1 counts requests.
template <class Tensor>
OutJson tensor_json(const Tensor& tensor) {
  std::vector<std::int64_t> shape{-1};
  shape.insert(shape.end(), tensor.dims.begin(), tensor.dims.end());
  return {{"name", tensor.name},
          {"datatype", tensor.datatype->name},
          {"shape", shape}};
}

OutJson duration(std::int64_t count, double seconds) {
  return {{"count", count}, {"ns", static_cast<std::int64_t>(seconds * 1e9)}};
}

/// Of all steps together.
Stats stats_of(Served& served) {
  Stats sum;
  if (!served.is_ready()) return sum;
  for (const auto& [name, stats] : served.runner().stats()) {
    sum.preprocess_s += stats.preprocess_s;
    sum.collate_s += stats.plan_s + stats.collate_s;
    sum.forward_s += stats.forward_s;
    sum.write_s += stats.decode_s + stats.write_s;
    sum.steps += stats.steps;
  }
  return sum;
}

}  // namespace

OutJson server_metadata() {
  return {{"name", "pipeline-serve"},
          {"version", PENSTOCK_SDK_VERSION},
          {"extensions",
           {"binary_tensor_data", "parameters", "generate", "statistics",
            "model_repository"}}};
}

OutJson model_metadata(const Served& served) {
  const Signature signature = signature_of(served.file());
  OutJson inputs = OutJson::array();
  for (const InputTensor& each : signature.inputs) {
    inputs.push_back(tensor_json(each));
    if (each.is_optional) inputs.back()["parameters"] = {{"optional", true}};
  }
  OutJson outputs = OutJson::array();
  for (const OutputTensor& each : signature.outputs) {
    outputs.push_back(tensor_json(each));
  }
  return {{"name", served.name()},
          {"versions", {kModelVersion}},
          {"platform", "penstock_pipeline"},
          {"inputs", std::move(inputs)},
          {"outputs", std::move(outputs)}};
}

OutJson model_statistics(const Metrics& metrics, Served& served) {
  Metrics::Of of;
  metrics.each([&](const std::string& name, const Metrics::Of& each) {
    if (name == served.name()) of = each;
  });
  const Stats stats = stats_of(served);
  const std::int64_t failed = of.failed + of.cancelled;
  const std::int64_t good = of.requests - failed;
  return {
      {"name", served.name()},
      {"version", kModelVersion},
      {"inference_count", good},
      {"execution_count", stats.steps},
      {"inference_stats",
       {{"success", duration(good, of.whole.sum())},
        {"fail", duration(failed, 0)},
        {"queue", duration(0, 0)},
        {"compute_input", duration(good, stats.preprocess_s + stats.collate_s)},
        {"compute_infer", duration(good, stats.forward_s)},
        {"compute_output", duration(good, stats.write_s)},
        {"cache_hit", duration(of.prefix_hits, 0)},
        {"cache_miss", duration(0, 0)}}},
      {"batch_stats", OutJson::array()}};
}

OutJson repository_index(const Models& models, std::string_view body) {
  bool only_ready = false;
  if (!body.empty()) {
    const JsonValue json = parse_inference_json(body);
    const JsonView view(json, kInferenceBody);
    check_keys(view, {"ready"});
    if (const auto ready = view.find("ready")) only_ready = ready->boolean();
  }
  OutJson out = OutJson::array();
  for (const Use& served : models.all()) {
    const bool is_ready = served->is_ready() && !served->is_closed();
    if (only_ready && !is_ready) continue;
    out.push_back({{"name", served->name()},
                   {"version", kModelVersion},
                   {"state", is_ready ? "READY" : "LOADING"}});
    if (served->is_closed()) out.back()["state"] = "UNLOADING";
  }
  return out;
}

void send_json(const Call& call, const OutJson& json) {
  Answer answer;
  answer.body = json_text(json);
  call.reply->send(std::move(answer));
}

void send_readiness(const Call& call, bool is_ready, OutJson json) {
  json["ready"] = is_ready;
  if (!is_ready) json["error"] = "models are being opened, or the server ends";
  Answer answer;
  answer.status = is_ready ? 200 : 503;
  answer.body = json_text(json);
  answer.fields.add("Cache-Control", "no-store");
  call.reply->send(std::move(answer));
}

}  // namespace penstock::serve

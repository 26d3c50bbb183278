#include "openvino/forward.h"

#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/pipeline.h"

namespace penstock::openvino {

void OpenvinoForward::declare(Declaration<OpenvinoForward>& d) {
  d.doc(
       "Any ONNX, OpenVINO or TFLite model; its ports are those of its file, "
       "which pipeline-inspect shows")
      .layouts({Layout::kStacked})
      .devices({"cpu"})
      .makes(kDtype, kEngine);
  exported::declare_options(d);
  d.param("precision", &Params::precision,
          "fp32, or auto: what is fastest on this CPU, such as bf16")
      .choices({"fp32", "auto"});
  d.param("cache", &Params::cache,
          "folder where the compiled model is kept for the next start; auto: "
          "beside the models that were fetched, where that can be written; "
          "empty: none");
}

Ports OpenvinoForward::describe(const Params& params,
                                const std::string& model) {
  return exported::ports_of(read_model_head(resolve_model(model)), params)
      .ports();
}

Footprint OpenvinoForward::memory(const StageContext& context) const {
  if (context.model.empty()) return {};
  // Measured on models of 3 to 21 MB: the library and its kernels, the weights
  // and what they are packed to. What a step takes depends on its shapes, so
  // the whole is not known: a picture of a page took ten times its model.
  constexpr std::int64_t kLibrary = std::int64_t{40} << 20U;
  return {.bytes = kLibrary + 2 * read_model_head(context.model).bytes,
          .is_known = false};
}

void OpenvinoForward::open(StageContext& context) {
  ModelHead head = read_model_head(model_of(context));
  ModelPorts ports = exported::ports_of(head, params_);
  session_ = std::make_unique<Session>(
      head, ports,
      SessionOptions{.precision = params_.precision,
                     .cache = cache_named(params_.cache),
                     .threads = context.threads});
  run_with(std::make_unique<exported::Runner>(
      std::move(head), std::move(ports), context.slots,
      [this](const auto& inputs, const exported::Waiting& waiting) {
        return session_->run(inputs, waiting);
      }));
  set(context.facts, kDtype, session_->dtype());
  set(context.facts, kEngine, "openvino");
}

void OpenvinoForward::close() noexcept {
  FileForward::close();
  session_.reset();
}

Result OpenvinoForward::forward(const Step& step) {
  // OpenVINO has a team of its own for what is worth one.
  const SerialOps serial;
  return FileForward::forward(step);
}

}  // namespace penstock::openvino

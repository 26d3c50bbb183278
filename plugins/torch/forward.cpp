#include "torch/forward.h"

#include <c10/core/InferenceMode.h>

#include "penstock/keys.h"
#include "penstock/pipeline.h"
#include "torch/graph_check.h"
#include "torch/port_params.h"

namespace penstock::pt2 {
namespace {

enum class Kind { kProgram, kScript, kNative };

/// A program beside native code is run, and the code is not, unless the file is
/// trusted.
Kind kind_of(const ModelHead& head, bool is_trusted) {
  if (head.format == "torchscript") return Kind::kScript;
  if (head.format == "torch.export") return Kind::kProgram;
  if (head.format != "aotinductor") {
    throw Error(Code::kData, str(head.path.string(), ": it is ", head.format,
                                 ", which openvino.forward runs"));
  }
  const bool has_program = !head.operators.empty();
  return has_program && !is_trusted ? Kind::kProgram : Kind::kNative;
}

std::unique_ptr<Session> open_session(const ModelHead& head, Kind kind) {
  if (kind == Kind::kScript) return open_script(head);
  return kind == Kind::kNative ? open_native(head) : open_export(head);
}

const char* name_of(Kind kind) {
  if (kind == Kind::kScript) return "torchscript";
  return kind == Kind::kNative ? "aotinductor" : "nativert";
}

/// Reads the head, with what the params add to it. Throws Error(kData) where
/// the file is of another format, or wants more trust than it has.
ModelHead head_of(const std::string& model,
                  const TorchForward::Params& params) {
  ModelHead head = read_model_head(model);
  const Kind kind = kind_of(head, params.trust);
  if (kind != Kind::kProgram && !params.trust) {
    throw Error(Code::kData,
                str(head.path.string(), ": it is ",
                    kind == Kind::kScript ? "TorchScript"
                                          : "native code of AOTInductor",
                    ", and such a file runs code as you when it is opened; "
                    "where it is your own set trust: true, else ask for one of "
                    "torch.export.save"));
  }
  check_operators(head, params.trust);
  if (head.inputs.empty() && head.outputs.empty()) {
    add_ports(params.ports, head);
  } else if (!params.ports.empty()) {
    throw Error(Code::kData, str("ports: ", head.path.string(),
                                 " says its own; take other names with names"));
  }
  return head;
}

/// What most of it is computed in, by what it gives.
std::string dtype_of(const ModelHead& head) {
  for (const ModelTensor& output : head.outputs) {
    if (output.dtype == "bf16") return "bf16";
    if (output.dtype == "f16") return "fp16";
  }
  return "fp32";
}

}  // namespace

void TorchForward::declare(Declaration<TorchForward>& d) {
  d.doc(
       "Any model of torch.export; its ports are those of its file, which "
       "pipeline-inspect shows. TorchScript and "
       "AOTInductor where it is trusted")
      .layouts({Layout::kStacked})
      .devices({"cpu"})
      .makes(kDtype, kEngine);
  exported::declare_options(d);
  d.param(
      "ports", &Params::ports,
      "of a file that does not say them, such as TorchScript: inputs in their "
      "order as \"x: f32[B,3]\", outputs as \"-> y: f32[B,5]\"");
  d.param("trust", &Params::trust,
          "the file is your own: TorchScript and AOTInductor run code as you, "
          "and a program may reach files");
}

Ports TorchForward::describe(const Params& params, const std::string& model) {
  return exported::ports_of(head_of(resolve_model(model), params), params)
      .ports();
}

Footprint TorchForward::memory(const StageContext& context) const {
  if (context.model.empty()) return {};
  // The file is read beside the weights that are made of it. What a step takes
  // depends on its shapes.
  return {.bytes = 2 * read_model_head(context.model).bytes, .is_known = false};
}

void TorchForward::open(StageContext& context) {
  const c10::InferenceMode inference;
  ModelHead head = head_of(model_of(context), params_);
  ModelPorts ports = exported::ports_of(head, params_);
  const Kind kind = kind_of(head, params_.trust);
  set(context.facts, kDtype, dtype_of(head));
  session_ = open_session(head, kind);
  run_with(std::make_unique<exported::Runner>(
      std::move(head), std::move(ports), context.slots,
      [this](const auto& inputs, const exported::Waiting& waiting) {
        if (waiting.is_over()) throw Cancelled();
        return session_->run(inputs);
      }));
  set(context.facts, kEngine, name_of(kind));
}

void TorchForward::close() noexcept {
  FileForward::close();
  session_.reset();
}

}  // namespace penstock::pt2

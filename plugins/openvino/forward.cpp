#include "openvino/forward.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <optional>

#include "penstock/dtype.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/pipeline.h"

namespace penstock::openvino {
namespace {

using From = ModelInput::From;

ModelPorts ports_of(const ModelHead& head,
                    const OpenvinoForward::Params& params) {
  return model_ports(head, {.names = params.names,
                            .set = params.set,
                            .state = params.state,
                            .scan = params.scan,
                            .channels_last = params.channels_last,
                            .rows = params.rows});
}

Waiting waiting_for(const Step& step) {
  Waiting out;
  std::vector<const Request*> seen;
  bool have_all_deadlines = true;
  for (const Slice& slice : step.slices) {
    const Request* request = slice.sequence->item->request.get();
    if (request == nullptr) return {};  // a test's
    if (std::find(seen.begin(), seen.end(), request) != seen.end()) continue;
    seen.push_back(request);
    out.stops.push_back(request->stop);
    have_all_deadlines = have_all_deadlines && request->deadline.has_value();
    const Time deadline = request->deadline.value_or(Time::max());
    out.deadline = std::max(out.deadline.value_or(deadline), deadline);
  }
  if (!have_all_deadlines) out.deadline.reset();
  return out;
}

/// What the pipeline or the sequence's last step gives for an input.
const at::Tensor& given(const Tensors& inputs, const ModelInput& input) {
  return get(inputs, input.port.name);
}

/// One tensor of the rows' answers.
at::Tensor stacked(const std::vector<at::Tensor>& rows, std::int64_t dim,
                   const ModelOutput& output) {
  for (const at::Tensor& row : rows) {
    if (row.sizes() == rows.front().sizes()) continue;
    throw Error(Code::kData, str("output '", output.port.name, "' is ",
                                 tensor_type(rows.front()), " for one row and ",
                                 tensor_type(row),
                                 " for another, which is no batch; set "
                                 "batch.max_sequences: 1"));
  }
  return at::stack(rows, dim);
}

/// Rows, or steps, of every output as one tensor each.
std::vector<at::Tensor> joined(std::vector<std::vector<at::Tensor>> parts,
                               std::int64_t dim, const ModelPorts& ports) {
  std::vector<at::Tensor> out(ports.outputs.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!ports.outputs[i].is_given) continue;
    std::vector<at::Tensor> rows;
    rows.reserve(parts.size());
    for (auto& part : parts) rows.push_back(std::move(part[i]));
    out[i] = stacked(rows, dim, ports.outputs[i]);
  }
  return out;
}

std::int64_t rows_of(const Step& step) {
  return static_cast<std::int64_t>(step.slices.size());
}

/// Throws where the output has no row for each.
void check_rows(const ModelOutput& output, const at::Tensor& tensor,
                std::int64_t rows) {
  if (tensor.dim() > 0 && tensor.size(0) == rows) return;
  throw Error(Code::kData,
              str("output '", output.port.name, "' is ", tensor_type(tensor),
                  " for ", rows, " rows: its first dim is not theirs; ",
                  rows > 1 ? "set rows: one" : "set rows: none"));
}

}  // namespace

void OpenvinoForward::declare(Declaration<OpenvinoForward>& d) {
  d.doc(
       "Any ONNX, OpenVINO or TFLite model; its ports are those of its file, "
       "which pipeline-inspect shows")
      .layouts({Layout::kStacked})
      .devices({"cpu"})
      .makes(kDtype, kEngine);
  d.param("names", &Params::names,
          "other names for inputs and outputs, written FILE=PIPELINE: "
          "x=pixels");
  d.param("set", &Params::set,
          "inputs that are always the same, written sr=16000 or "
          "\"scales=0.667 1 0.8\"; one number fills every place");
  d.param("state", &Params::state,
          "outputs that are inputs of the sequence's next step, written "
          "OUTPUT=INPUT; first zeros");
  d.param("scan", &Params::scan,
          "inputs that come as [B,S,...], S steps one after another, each with "
          "the state of the one before; outputs become [B,S,...]");
  d.param("channels_last", &Params::channels_last,
          "inputs that are [height,width,channels] in the file, as TFLite's "
          "are; the pipeline gives [channels,height,width], for bytes f32 that "
          "are rounded");
  d.param("rows", &Params::rows,
          "batch: the rows are dim 0 of the model; one: a row after another, "
          "dim 0 is 1; none: a row after another with every dim of the file; "
          "auto: batch where dim 0 of every input is dynamic")
      .choices({"auto", "batch", "one", "none"});
  d.param("precision", &Params::precision,
          "fp32, or auto: what is fastest on this CPU, such as bf16")
      .choices({"fp32", "auto"});
  d.param("cache", &Params::cache,
          "folder where the compiled model is kept for the next start; empty: "
          "none");
}

Ports OpenvinoForward::describe(const Params& params,
                                const std::string& model) {
  return ports_of(read_model_head(resolve_model(model)), params).ports();
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
  if (context.model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model:` into the pipeline file or "
                "pass --set model=...");
  }
  const ModelHead head = read_model_head(context.model);
  file_ = head.path.string();
  ports_ = ports_of(head, params_);
  binder_ = std::make_unique<Binder>(file_, ports_);
  session_ =
      std::make_unique<Session>(head, ports_,
                                SessionOptions{.precision = params_.precision,
                                               .cache = params_.cache,
                                               .threads = context.threads});
  if (!params_.state.empty()) {
    states_.assign(static_cast<std::size_t>(context.slots),
                   State(ports_.inputs.size()));
  }
  set(context.facts, kDtype, session_->dtype());
  set(context.facts, kEngine, "openvino");
}

void OpenvinoForward::close() noexcept {
  session_.reset();
  states_.clear();
}

void OpenvinoForward::release(int slot) noexcept {
  for (at::Tensor& tensor : states_[static_cast<std::size_t>(slot)]) {
    tensor.reset();
  }
}

OpenvinoForward::State* OpenvinoForward::state_of(const Step& step,
                                                  std::int64_t row) {
  if (states_.empty()) return nullptr;
  const Sequence& sequence =
      *step.slices.at(static_cast<std::size_t>(row)).sequence;
  return &states_.at(static_cast<std::size_t>(sequence.slot));
}

at::Tensor OpenvinoForward::states_for(const Step& step,
                                       const ModelInput& input) {
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < rows_of(step); ++i) {
    parts.push_back((*state_of(step, i))[place_of(input)]);
  }
  const auto known =
      std::find_if(parts.begin(), parts.end(),
                   [](const at::Tensor& part) { return part.defined(); });
  if (known == parts.end()) return {};
  for (at::Tensor& part : parts) {
    if (!part.defined()) part = at::zeros_like(*known);
  }
  return at::cat(parts);
}

void OpenvinoForward::keep_states(const Step& step, const Outputs& made) {
  for (const ModelInput& input : ports_.inputs) {
    if (input.from != From::kState) continue;
    check_rows(ports_.outputs[input.output], made[input.output], rows_of(step));
    for (std::int64_t i = 0; i < rows_of(step); ++i) {
      (*state_of(step, i))[place_of(input)] =
          made[input.output].narrow(0, i, 1).clone();
    }
  }
}

OpenvinoForward::Outputs OpenvinoForward::run_together(const Step& step,
                                                       const Tensors& inputs) {
  Outputs out = session_->run(
      binder_->bind(
          [&](const ModelInput& input) { return given(inputs, input); },
          [&](const ModelInput& input) { return states_for(step, input); }),
      waiting_for(step));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const ModelOutput& output = ports_.outputs[i];
    if (output.is_given) check_rows(output, out[i], rows_of(step));
  }
  keep_states(step, out);
  return out;
}

OpenvinoForward::Outputs OpenvinoForward::run_one(const Step& step,
                                                  const Tensors& inputs,
                                                  std::int64_t row) {
  State* state = state_of(step, row);
  const auto item = [&](const ModelInput& input) {
    const at::Tensor own = given(inputs, input)[row];
    return input.has_row_dim ? own.unsqueeze(0) : own;
  };
  const auto known = [&](const ModelInput& input) {
    return (*state)[place_of(input)];
  };
  Outputs out = session_->run(binder_->bind(item, known), waiting_for(step));
  for (const ModelInput& input : ports_.inputs) {
    if (input.from != From::kState) continue;
    (*state)[place_of(input)] = out[input.output];
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const ModelOutput& output = ports_.outputs[i];
    if (!output.is_given || !output.has_row_dim) continue;
    check_rows(output, out[i], 1);
    out[i] = out[i].squeeze(0);
  }
  return out;
}

OpenvinoForward::Outputs OpenvinoForward::run(const Step& step,
                                              const Tensors& inputs) {
  if (ports_.rows == ModelRows::kBatch) return run_together(step, inputs);
  std::vector<Outputs> parts;
  for (std::int64_t row = 0; row < rows_of(step); ++row) {
    parts.push_back(run_one(step, inputs, row));
  }
  return joined(std::move(parts), 0, ports_);
}

OpenvinoForward::Outputs OpenvinoForward::run_steps(const Step& step,
                                                    std::int64_t steps) {
  const auto is_scanned = [this](const std::string& name) {
    return std::any_of(ports_.inputs.begin(), ports_.inputs.end(),
                       [&](const ModelInput& input) {
                         return input.is_scanned && input.port.name == name;
                       });
  };
  std::vector<Outputs> parts;
  for (std::int64_t i = 0; i < steps; ++i) {
    Tensors now = step.inputs;
    for (auto& [name, tensor] : now) {
      if (is_scanned(name)) tensor = tensor.select(1, i);
    }
    parts.push_back(run(step, now));
  }
  return joined(std::move(parts), 1, ports_);
}

Result OpenvinoForward::forward(const Step& step) {
  // OpenVINO has a team of its own for what is worth one.
  const SerialOps serial;
  std::optional<std::int64_t> steps;
  for (const ModelInput& input : ports_.inputs) {
    if (!input.is_scanned) continue;
    const std::int64_t now = given(step.inputs, input).size(1);
    if (now < 1 || steps.value_or(now) != now) {
      throw Error(Code::kData, str("scan: '", input.port.name, "' has ", now,
                                   " steps, expected ", steps.value_or(1),
                                   steps ? "" : " or more"));
    }
    steps = now;
  }
  Outputs made = steps ? run_steps(step, *steps) : run(step, step.inputs);
  Result result;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const ModelOutput& output = ports_.outputs[i];
    if (output.is_given) result.out.emplace_back(output.port.name, made[i]);
  }
  return result;
}

}  // namespace penstock::openvino

#include "pipeline_serve/api/inference/signature.h"

#include <algorithm>
#include <utility>

namespace penstock::serve {
namespace {

template <class Tensor>
const Tensor* by_name(const std::vector<Tensor>& all, std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(),
                   [&](const Tensor& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

/// A number, or -1 for a symbol; B and R are the batch's own.
std::vector<std::int64_t> dims_of(const Port& port) {
  std::vector<std::int64_t> out;
  for (const std::string& dim : own_dims(port)) {
    out.push_back(fixed_dim(dim).value_or(-1));
  }
  return out;
}

InputTensor input_of(const Port& port) {
  InputTensor out;
  out.name = port.name;
  out.datatype = &datatype_of(port.dtype);
  out.kind = port.dtype == "media"     ? InputKind::kMedia
             : out.datatype->bytes > 0 ? InputKind::kTensor
                                       : InputKind::kText;
  if (out.kind == InputKind::kTensor) out.dims = dims_of(port);
  return out;
}

/// The value of a stage's param, where that is a text.
std::string text_setting(const StageConfig& stage, const std::string& param) {
  const auto found = stage.settings.find(param);
  if (found == stage.settings.end()) return {};
  const auto* text = std::get_if<std::string>(&found->second.value);
  return text == nullptr ? std::string() : *text;
}

bool is_chat(const StageConfig& stage) {
  const ParamSpec* param = stage.spec->params.find(Ability::kChats);
  if (param == nullptr) return false;
  const auto found = stage.settings.find(param->name);
  if (found == stage.settings.end()) return false;
  const bool* value = std::get_if<bool>(&found->second.value);
  return value != nullptr && *value;
}

/// Stages that read texts have params for their names, not ports.
void add_texts(const PipelineFile& file, std::vector<InputTensor>& to) {
  InputTensor text;
  text.name = "text";
  std::vector<InputTensor> more;
  for (const StageConfig& stage : file.preprocess) {
    const std::string name = text_setting(stage, "input");
    if (!name.empty()) text.name = name;
    const std::string second = text_setting(stage, "continuation");
    if (!second.empty()) {
      more.emplace_back().name = second;
    }
    if (!is_chat(stage)) continue;
    text.is_optional = true;
    for (const char* json : {"messages", "tools"}) {
      InputTensor& tensor = more.emplace_back();
      tensor.name = json;
      tensor.kind = InputKind::kJson;
    }
  }
  to.push_back(std::move(text));
  for (InputTensor& each : more) {
    each.is_optional = true;
    to.push_back(std::move(each));
  }
}

/// Of one pipeline: ports that no stage before fills, else texts.
std::vector<InputTensor> inputs_of(const PipelineFile& file) {
  std::vector<InputTensor> out;
  std::vector<std::string> made;
  for (const StageConfig& stage : file.preprocess) {
    for (const Port& port : stage.spec->inputs) {
      const bool is_made =
          std::find(made.begin(), made.end(), port.name) != made.end();
      if (is_made || by_name(out, port.name) != nullptr) continue;
      out.push_back(input_of(port));
    }
    for (const Port& port : stage.spec->outputs) made.push_back(port.name);
  }
  if (out.empty()) add_texts(file, out);
  return out;
}

/// The inputs of a step that the request itself has to give.
void add_inputs(const StepConfig& step, std::vector<InputTensor>& to) {
  for (InputTensor& tensor : inputs_of(step.file)) {
    if (!step.in.empty()) {
      const auto edge = step.in.find(tensor.name);
      if (edge == step.in.end() || edge->second.input.empty()) continue;
      tensor.name = edge->second.input;
    }
    if (by_name(to, tensor.name) == nullptr) to.push_back(std::move(tensor));
  }
}

void add_outputs(const StepConfig& step, const std::string& prefix,
                 std::vector<OutputTensor>& to) {
  const auto add = [&](const std::string& name, OutputKind kind) {
    OutputTensor& tensor = to.emplace_back();
    tensor.name = prefix + name;
    tensor.kind = kind;
    tensor.step = step.name;
    return &tensor;
  };
  add("text", OutputKind::kText);
  if (step.file.postprocess.spec != nullptr) {
    for (const Port& port : step.file.postprocess.spec->outputs) {
      if (datatype_of(port.dtype).bytes == 0) continue;
      OutputTensor* tensor = add(port.name, OutputKind::kNumbers);
      tensor->key = port.name;
      tensor->datatype = &datatype_of(port.dtype);
      tensor->dims = dims_of(port);
    }
  }
  add("json", OutputKind::kJson);
}

}  // namespace

const InputTensor* Signature::input(std::string_view name) const {
  return by_name(inputs, name);
}

const OutputTensor* Signature::output(std::string_view name) const {
  return by_name(outputs, name);
}

Signature signature_of(const CompositionFile& file) {
  Signature out;
  for (const StepConfig& step : file.steps) add_inputs(step, out.inputs);
  std::stable_sort(out.inputs.begin(), out.inputs.end(),
                   [](const InputTensor& a, const InputTensor& b) {
                     return !a.is_optional && b.is_optional;
                   });
  add_outputs(file.steps.back(), "", out.outputs);
  for (const StepConfig& step : file.steps) {
    if (&step == &file.steps.back()) continue;
    add_outputs(step, step.name + ".", out.outputs);
  }
  return out;
}

}  // namespace penstock::serve

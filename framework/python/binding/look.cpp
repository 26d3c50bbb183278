#include "binding/look.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "binding/own_stages.h"

namespace penstock::python {
namespace {

namespace nb = nanobind;

nb::list texts_of(const std::vector<Port>& ports) {
  nb::list out;
  for (const Port& port : ports) out.append(to_string(port));
  return out;
}

nb::dict dict_of(const ParamSpec& param) {
  nb::dict out;
  out["name"] = param.name;
  out["type"] = to_string(param.type());
  out["doc"] = param.doc;
  out["default"] = std::visit([](const auto& value) { return nb::cast(value); },
                              param.fallback);
  out["expected"] = expected(param);
  out["choices"] = param.choices;
  out["per_request"] = param.is_per_request;
  return out;
}

nb::dict dict_of(const StageSpec& stage) {
  nb::dict out;
  out["name"] = stage.name;
  out["kind"] = to_string(stage.kind);
  out["doc"] = stage.doc;
  out["inputs"] = texts_of(stage.inputs);
  out["outputs"] = texts_of(stage.outputs);
  out["devices"] = stage.devices;
  nb::list params;
  for (const ParamSpec& param : stage.params.specs()) {
    params.append(dict_of(param));
  }
  out["params"] = params;
  return out;
}

struct CheckedStep {
  std::string name, explained;
  PipelineCheck found;
  std::vector<std::string> notices;
};

std::vector<CheckedStep> check(const FileSource& source) {
  const nb::gil_scoped_release free;
  const CompositionFile file = load(source);
  std::vector<CheckedStep> all;
  for (const StepConfig& step : file.steps) {
    try {
      all.push_back({.name = step.name,
                     .explained = explain(step.file),
                     .found = check_pipeline(step.file),
                     .notices = step.file.notices});
    } catch (Error& error) {
      throw step.name.empty() ? error : error.in(Place::step(step.name));
    }
  }
  return all;
}

}  // namespace

nb::dict check_file(const FileSource& source) {
  nb::dict out;
  for (const CheckedStep& step : check(source)) {
    nb::dict one;
    one["device"] = step.found.device;
    one["weight_bytes"] = step.found.memory.bytes;
    one["context_length"] = step.found.memory.context_length;
    one["sequence_bytes"] = step.found.memory.sequence_bytes;
    one["explained"] = step.explained;
    one["notices"] = step.notices;
    out[nb::cast(step.name)] = one;
  }
  return out;
}

nb::list stages_of(const std::string& plugin,
                   const std::vector<std::string>& path) {
  nb::list own;
  for (const StageSpec* stage : own_stages()) {
    if (plugin.empty() || stage->name.starts_with(plugin + '.')) {
      own.append(dict_of(*stage));
    }
  }
  if (!plugin.empty() && nb::len(own) > 0) return own;
  PluginHost& host = plugin_host(path);
  std::vector<std::string> names;
  if (!plugin.empty()) {
    names.push_back(plugin);
  } else {
    for (const PluginFacts& facts : host.plugins()) {
      names.push_back(facts.name);
    }
  }
  nb::list out;
  for (const std::string& name : names) {
    for (const StageSpec& stage : host.stages(name)) {
      out.append(dict_of(stage));
    }
  }
  out.extend(own);
  return out;
}

}  // namespace penstock::python

#include "binding/declare.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <utility>

#include "binding/engine.h"
#include "binding/own_decode.h"
#include "binding/own_postprocess.h"
#include "binding/own_preprocess.h"
#include "penstock/plugin.h"

namespace penstock::python {
namespace {

namespace nb = nanobind;

/// The one that is being declared; Registry::add() asks the class, not us.
thread_local const OwnStage* declared_now = nullptr;

std::vector<std::string> texts(const nb::dict& from, const char* key) {
  return nb::cast<std::vector<std::string>>(from[key]);
}

NoteValue zero_of(const std::string& type, const std::string& note) {
  if (type == "bool") return false;
  if (type == "integer") return std::int64_t{0};
  if (type == "number") return 0.0;
  if (type == "text") return std::string();
  if (type == "integers") return Tokens();
  throw Error(Code::kUsage,
              str("note '", note,
                  "': expected a name and its type, such as 'loudness: "
                  "number'; types are bool, integer, number, text, integers"));
}

/// "loudness: number"
std::vector<NoteSpec> notes(const nb::dict& from, const char* key) {
  std::vector<NoteSpec> out;
  for (const std::string& text : texts(from, key)) {
    const std::size_t colon = text.find(':');
    const std::size_t type = colon == std::string::npos
                                 ? colon
                                 : text.find_first_not_of(' ', colon + 1);
    const NoteValue zero =
        zero_of(type == std::string::npos ? "" : text.substr(type), text);
    out.push_back({.name = text.substr(0, colon),
                   .type = static_cast<ParamType>(zero.index())});
  }
  return out;
}

ParamValue list_value(const nb::list& list) {
  if (nb::len(list) == 0 || nb::isinstance<nb::str>(list[0])) {
    return nb::cast<std::vector<std::string>>(list);
  }
  if (nb::isinstance<nb::int_>(list[0])) {
    return nb::cast<std::vector<std::int64_t>>(list);
  }
  return nb::cast<std::vector<double>>(list);
}

ParamValue value(nb::handle object) {
  if (nb::isinstance<nb::bool_>(object)) return nb::cast<bool>(object);
  if (nb::isinstance<nb::int_>(object)) return nb::cast<std::int64_t>(object);
  if (nb::isinstance<nb::float_>(object)) return nb::cast<double>(object);
  if (nb::isinstance<nb::str>(object)) return nb::cast<std::string>(object);
  return list_value(nb::cast<nb::list>(object));
}

ParamSpec param(const nb::dict& from) {
  ParamSpec spec;
  spec.name = nb::cast<std::string>(from["name"]);
  spec.doc = nb::cast<std::string>(from["doc"]);
  spec.fallback = value(from["default"]);
  if (!from["min"].is_none()) spec.min = nb::cast<double>(from["min"]);
  if (!from["max"].is_none()) spec.max = nb::cast<double>(from["max"]);
  spec.choices = texts(from, "choices");
  spec.is_per_request = nb::cast<bool>(from["per_request"]);
  return spec;
}

std::unique_ptr<OwnStage> read(const nb::dict& from) {
  auto stage = std::make_unique<OwnStage>();
  stage->doc = nb::cast<std::string>(from["doc"]);
  stage->inputs = texts(from, "inputs");
  stage->outputs = texts(from, "outputs");
  stage->makes = notes(from, "makes");
  stage->needs = notes(from, "needs");
  stage->uses = notes(from, "uses");
  stage->facts = notes(from, "facts");
  for (const nb::handle each : nb::cast<nb::list>(from["params"])) {
    stage->params.push_back(param(nb::cast<nb::dict>(each)));
  }
  return stage;
}

/// A plugin's name is taken, whether it is open or not.
void refuse_plugin(const std::string& plugin, const std::string& name) {
  for (const PluginFacts& facts : plugin_host({}).plugins()) {
    if (facts.name == plugin) {
      throw Error(Code::kUsage,
                  str("stage '", name, "': there is a plugin '", plugin,
                      "'; take another name before the dot"));
    }
  }
}

StageSpec spec_of(const OwnStage& stage, const std::string& kind,
                  const std::string& plugin, const std::string& name) {
  Registry registry(plugin);
  if (kind == "preprocess") {
    registry.add<OwnPreprocess>(name);
  } else if (kind == "decode") {
    registry.add<OwnDecode>(name);
  } else {
    registry.add<OwnPostprocess>(name);
  }
  StageSpec spec = registry.specs().front();
  spec.notes = {.makes = stage.makes, .needs = stage.needs, .uses = stage.uses};
  spec.facts.uses = stage.facts;
  return spec;
}

}  // namespace

const OwnStage& stage_being_declared() { return *declared_now; }

void declare_stage(const nb::dict& declared) {
  auto stage = read(declared);
  const auto full = nb::cast<std::string>(declared["name"]);
  const std::size_t dot = full.find('.');
  if (dot == std::string::npos) {
    throw Error(Code::kUsage, str("stage '", full,
                                  "': expected a name of two parts, such as "
                                  "'my.rank'"));
  }
  refuse_plugin(full.substr(0, dot), full);
  declared_now = stage.get();
  StageSpec spec = spec_of(*stage, nb::cast<std::string>(declared["kind"]),
                           full.substr(0, dot), full.substr(dot + 1));
  declared_now = nullptr;
  stage->make = nb::object(declared["make"]).release().ptr();
  (void)stage.release();  // as long as the process
  keep_own_stage(std::move(spec));
}

}  // namespace penstock::python

namespace penstock {

ParamSchema ParamList<python::OwnParams>::take() {
  const python::OwnStage& stage = python::stage_being_declared();
  ParamSchema schema;
  for (const ParamSpec& spec : stage.params) {
    schema.specs_.push_back(spec);
    schema.setters_.push_back(
        [name = spec.name](void* to, const ParamValue& value) {
          static_cast<python::OwnParams*>(to)->values[name] = value;
        });
  }
  schema.make_ = [&stage] {
    auto made = std::make_shared<python::OwnParams>();
    made->stage = &stage;
    for (const ParamSpec& spec : stage.params) {
      made->values[spec.name] = spec.fallback;
    }
    return made;
  };
  schema.copy_ = [](const void* from) {
    return std::make_shared<python::OwnParams>(
        *static_cast<const python::OwnParams*>(from));
  };
  return schema;
}

}  // namespace penstock

#include "config/stage_loader.h"

#include "base/quote.h"
#include "config/conflict.h"
#include "config/values.h"

namespace penstock::config {
namespace {

void note_renamed(const std::string& place, const std::string& written,
                  const std::string& name, StageDraft& stage) {
  if (written == name) return;
  stage.notices.push_back(
      str(place, ": '", written, "' is called '", name, "' now"));
}

std::string misplaced(const StageSpec& spec, const StageDraft& stage) {
  if (spec.kind == StageKind::kRule) {
    return str(spec.name,
               " is a rule; rules stand under decode, before its stage: "
               "decode: [{use: ",
               spec.name, "}, {use: core.sample}]");
  }
  if (stage.kind == StageKind::kRule) {
    return str(spec.name, " is a ", to_string(spec.kind),
               " stage; of the list under decode, all but the last are rules");
  }
  return str(spec.name, " is a ", to_string(spec.kind),
             " stage; it stands under ", to_string(stage.kind));
}

void find_spec(const Entry& use, StageCatalog& catalog, StageDraft& stage,
               Problems& problems) {
  stage.use_at = use.value->at;
  const auto text = read_scalar(*use.value, "plugin.stage", problems);
  if (!text) return;
  try {
    check_use(text->text);
    stage.config.spec = &catalog.find(text->text);
    note_renamed(problems.place(stage.use_at), text->text,
                 stage.config.spec->name, stage);
  } catch (const Error& error) {
    problems.add(stage.use_at, error.text(), error.code());
    return;
  }
  const auto& spec = *stage.config.spec;
  stage.config.place = problems.place(stage.use_at);
  stage.is_in_place = spec.kind == stage.kind;
  if (!stage.is_in_place) {
    problems.add(stage.use_at, misplaced(spec, stage));
  }
  stage.params = spec.params.make();
  for (const auto& param : spec.params.specs()) {
    stage.config.settings[param.name] = {param.fallback, "default"};
  }
}

void load_device(const YamlNode& value, StageDraft& stage, Problems& problems) {
  const auto raw = read_raw(
      value, "cpu, cuda, cuda:N or auto, or a list of devices", problems);
  if (!raw) return;
  try {
    stage.config.device = device_text(*raw);
    stage.config.device_source = problems.place(value.at);
    stage.device = {.is_given = true, .at = value.at};
  } catch (const Error& error) {
    problems.add(value.at, error.text());
  }
}

void load_model(const YamlNode& value, StageDraft& stage, Problems& problems) {
  const auto text = read_scalar(value, "the name of a model", problems);
  if (!text) return;
  stage.config.model = model_seen_from(problems.path(), text->text);
  stage.config.model_source = problems.place(value.at);
  stage.model = {.is_given = true, .at = value.at};
}

void load_param(const YamlNode& map, const Entry& entry, StageDraft& stage,
                Problems& problems) {
  const StageSpec& spec = *stage.config.spec;
  const ParamSpec* param = spec.params.find(entry.key);
  if (param == nullptr) {
    problems.add(entry.at, unknown_param(spec, entry.key));
    return;
  }
  if (entry.key != param->name && map.find(param->name) != nullptr) {
    problems.add(entry.at, str("'", entry.key, "' is the former name of '",
                               param->name, "', which is there too"));
    return;
  }
  note_renamed(problems.place(entry.at), entry.key, param->name, stage);
  stage.param_at[param->name] = entry.value->at;
  const auto value = read_param(*entry.value, *param, problems);
  if (value) stage.set(*param, *value, problems.place(entry.value->at));
}

}  // namespace

std::string param_hint(const StageSpec& spec, const std::string& param) {
  std::vector<std::string> names;
  for (const auto& known : spec.params.specs()) names.push_back(known.name);
  auto all = names;
  for (const char* reserved : {"use", "device", "model"}) {
    all.emplace_back(reserved);
  }
  std::string near = suggestion(param, all);
  if (!near.empty()) return near;
  return names.empty() ? "; it has none" : "; it has: " + joined(names);
}

std::string unknown_param(const StageSpec& spec, const std::string& param) {
  return str("unknown param ", shown(param), " of ", spec.name,
             param_hint(spec, param));
}

void load_stage(const YamlNode& value, Mark key_at, StageCatalog& catalog,
                StageDraft& stage, Problems& problems) {
  stage.is_present = true;
  stage.use_at = key_at;
  if (value.kind != YamlNode::Kind::kMap) {
    problems.add(value.at, str("expected a map such as {use: plugin.stage}, "
                               "not ",
                               description(value)));
    return;
  }
  const Entry* use = value.find("use");
  if (use == nullptr) {
    problems.add(key_at, str("'use' is missing in ", stage.key,
                             "; expected {use: plugin.stage}"));
  } else {
    find_spec(*use, catalog, stage, problems);
  }
  const auto before = problems.count();
  for (const auto& entry : value.entries) {
    if (entry.key == "use") continue;
    if (entry.key == "device") {
      load_device(*entry.value, stage, problems);
    } else if (entry.key == "model") {
      load_model(*entry.value, stage, problems);
    } else if (stage.config.spec != nullptr) {
      load_param(value, entry, stage, problems);
    }
  }
  // A param that could not be read would make its default look at fault.
  stage.is_complete = problems.count() == before;
  if (stage.config.spec == nullptr || !stage.is_complete) return;
  stage.conflict = conflict_of(*stage.config.spec, stage.params.get());
}

}  // namespace penstock::config

#include "config/options.h"

#include "base/quote.h"
#include "config/conflict.h"
#include "config/keys.h"

namespace penstock {
namespace config {
namespace {

using StageConfigs = std::vector<const StageConfig*>;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(Code::kData, "option " + shown(name) + " " + why);
}

Counts counts_of(const PipelineFile& file) {
  return {.preprocess = file.preprocess.size(), .rules = file.rules.size()};
}

std::vector<std::string> known_options(const StageConfigs& stages) {
  std::vector<std::string> names;
  for (const auto* stage : stages) {
    if (stage->spec == nullptr) continue;
    for (const auto& spec : stage->spec->params.specs()) {
      if (spec.is_per_request) names.push_back(spec.name);
    }
  }
  return names;
}

[[noreturn]] void refuse_unknown(const StageConfigs& stages,
                                 const std::string& name,
                                 const std::string& param) {
  const auto known = known_options(stages);
  const auto near = suggestion(param, known);
  if (!near.empty()) refuse(name, "is unknown" + near);
  refuse(name, "is unknown; known: " +
                   (known.empty() ? std::string("none") : joined(known)));
}

[[noreturn]] void refuse_fixed(const std::string& name) {
  refuse(name, "cannot change with a request; set it in the pipeline file");
}

Option find_flat(const PipelineFile& file, const StageConfigs& stages,
                 const std::string& name) {
  std::vector<std::string> keys;
  Option found;
  bool is_fixed = false;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (stages[i]->spec == nullptr) continue;
    const ParamSpec* spec = stages[i]->spec->params.find(name);
    if (spec == nullptr) continue;
    is_fixed = is_fixed || !spec->is_per_request;
    if (!spec->is_per_request) continue;
    found = {i, spec};
    keys.push_back(key_of(i, counts_of(file)) + "." + name);
  }
  if (keys.size() == 1) return found;
  if (keys.size() > 1) refuse(name, "is shared; write one of " + joined(keys));
  if (is_fixed) refuse_fixed(name);
  refuse_unknown(stages, name, name);
}

}  // namespace

Option find_option(const PipelineFile& file, const std::string& name) {
  const auto stages = file.stages();
  if (name.find('.') == name.npos) return find_flat(file, stages, name);
  const auto address = find_stage(name, counts_of(file));
  if (!address) {
    refuse(name, "names no stage" +
                     suggestion(name.substr(0, name.find('.')), stage_keys()));
  }
  const StageSpec* stage = stages[address->stage]->spec;
  const ParamSpec* spec =
      stage == nullptr ? nullptr : stage->params.find(address->rest);
  if (spec == nullptr) {
    refuse_unknown({stages[address->stage]}, name, address->rest);
  }
  if (!spec->is_per_request) refuse_fixed(name);
  return {address->stage, spec};
}

Overlay::Overlay(const PipelineFile& file)
    : stages_(file.stages()), changed_(stages_.size()) {}

void Overlay::set(const Option& option, const ParamValue& value) {
  const StageConfig& stage = *stages_[option.stage];
  auto& params = changed_[option.stage];
  if (params == nullptr) params = stage.spec->params.copy(stage.params.get());
  stage.spec->params.set(params.get(), *option.spec, value);
}

std::string Overlay::conflict() const {
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (changed_[i] == nullptr) continue;
    auto text = conflict_of(*stages_[i]->spec, changed_[i].get());
    if (!text.empty()) return text;
  }
  return "";
}

std::vector<std::shared_ptr<const void>> Overlay::take() && {
  std::vector<std::shared_ptr<const void>> out;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (changed_[i] == nullptr) {
      out.push_back(stages_[i]->params);
    } else {
      out.push_back(std::move(changed_[i]));
    }
  }
  return out;
}

}  // namespace config

std::vector<std::shared_ptr<const void>> check_options(
    const PipelineFile& file, const std::map<std::string, Raw>& options) {
  config::Overlay overlay(file);
  for (const auto& [name, raw] : options) {
    const auto option = config::find_option(file, name);
    try {
      overlay.set(option, parse_param(*option.spec, raw));
    } catch (const Error& error) {
      throw Error(error.code(), "option " + shown(name) + ": " + error.text());
    }
  }
  const auto conflict = overlay.conflict();
  if (!conflict.empty()) throw Error(Code::kData, "options: " + conflict);
  return std::move(overlay).take();
}

}  // namespace penstock

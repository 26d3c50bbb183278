#include <algorithm>

#include "penstock/plugin.h"
#include "plugin/declared.h"
#include "plugin/search.h"

namespace penstock {

namespace {

[[noreturn]] void fail(const std::string& problem) {
  throw Error(Code::kInternal, problem);
}

/// What an ability sets in the param, see Ability.
void check_abilities(const StageSpec& spec) {
  for (const ParamSpec& param : spec.params.specs()) {
    if (param.ability == Ability::kNone) continue;
    const ParamType wanted =
        param.ability == Ability::kDraws ? ParamType::kText : ParamType::kBool;
    if (param.type() == wanted) continue;
    fail(str("param '", param.name, "' of stage '", spec.name, "' ",
             to_string(param.ability), ", so it must be of the type ",
             to_string(wanted), ", not ", to_string(param.type())));
  }
}

/// Facts go from Forward to the stages that are opened after it.
void check_facts(const StageSpec& spec) {
  const NoteSpecs& facts = spec.facts;
  const auto refuse = [&](const std::vector<NoteSpec>& named,
                          const char* reason) {
    if (named.empty()) return;
    fail(str("stage '", spec.name, "' declares fact '", named.front().name,
             "': ", reason));
  };
  if (spec.kind != StageKind::kForward) {
    refuse(facts.makes, "facts are made by forward stages");
  }
  if (spec.kind == StageKind::kForward || spec.kind == StageKind::kBatch) {
    for (const auto* named : {&facts.needs, &facts.uses}) {
      refuse(*named, "no fact is known yet when this stage is opened");
    }
  }
  if (spec.kind == StageKind::kPreprocess) {
    refuse(facts.needs,
           "preprocess also runs without a model; declare uses() and do "
           "without it");
  }
}

void check_next_inputs(const StageSpec& spec) {
  if (spec.next_inputs.empty() || spec.kind == StageKind::kForward ||
      spec.kind == StageKind::kDecode) {
    return;
  }
  fail(str("stage '", spec.name,
           "' declares next_input(), which goes from decode to forward"));
}

void check_devices(const StageSpec& spec) {
  for (const std::string& device : spec.devices) {
    if (device == "cpu" || device == "cuda") continue;
    fail(str("stage '", spec.name, "' computes on '", device,
             "'; a device is cpu or cuda"));
  }
}

}  // namespace

void Registry::insert(StageSpec spec) {
  const std::string own = spec.name.substr(plugin_.size() + 1);
  if (!plugin::is_valid_name(own)) {
    fail(str("'", own, "' cannot name a stage; a name is ", plugin::kNameRule));
  }
  const bool is_taken = std::any_of(
      specs_.begin(), specs_.end(),
      [&spec](const auto& other) { return other.name == spec.name; });
  if (is_taken) fail(str("two stages are named '", spec.name, "'"));
  if (!spec.make) fail(str("stage '", spec.name, "' has no factory"));
  plugin::check_declared(spec);
  check_abilities(spec);
  check_facts(spec);
  check_next_inputs(spec);
  check_devices(spec);
  if (spec.kind == StageKind::kForward && spec.devices.empty()) {
    spec.devices = {"cpu"};
  }
  specs_.push_back(std::move(spec));
}

}  // namespace penstock

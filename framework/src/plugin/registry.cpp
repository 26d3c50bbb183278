#include <algorithm>
#include <array>
#include <set>

#include "penstock/plugin.h"
#include "plugin/search.h"

namespace penstock {

namespace {

[[noreturn]] void fail(const std::string& problem) {
  throw Error(Code::kInternal, problem);
}

void check_params(const StageSpec& spec) {
  // Keys that a pipeline file gives a meaning of its own.
  constexpr std::array<std::string_view, 3> kReserved{"use", "device", "model"};
  std::set<std::string> seen;
  for (const ParamSpec& param : spec.params.specs()) {
    if (!plugin::is_valid_name(param.name)) {
      fail(str("stage '", spec.name, "' has a param named '", param.name,
               "'; a name is ", plugin::kNameRule));
    }
    if (std::find(kReserved.begin(), kReserved.end(), param.name) !=
        kReserved.end()) {
      fail(str("stage '", spec.name, "' has a param named '", param.name,
               "', which every stage has already; take another name"));
    }
    if (!seen.insert(param.name).second) {
      fail(str("stage '", spec.name, "' has two params named '", param.name,
               "'"));
    }
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
  check_params(spec);
  specs_.push_back(std::move(spec));
}

}  // namespace penstock

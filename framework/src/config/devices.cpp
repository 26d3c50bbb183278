#include "config/devices.h"

#include <algorithm>

#include "base/quote.h"

namespace penstock::config {
namespace {

/// "cuda" of "cuda:1".
std::string kind_of(const std::string& device) {
  return device.substr(0, device.find(':'));
}

bool can_run(const StageSpec& spec, const std::string& device) {
  const std::string kind = kind_of(device);
  return kind == "auto" || std::find(spec.devices.begin(), spec.devices.end(),
                                     kind) != spec.devices.end();
}

void refuse(const ValuePlace& place, const std::string& text,
            Problems& problems) {
  if (place.at) {
    problems.add(*place.at, text);
  } else {
    problems.add_override(place.override, text);
  }
}

/// Why the stage cannot be there; "": it can.
std::string problem_of(const StageSpec& spec, const std::string& device) {
  if (spec.devices.empty()) {
    return str(spec.name,
               " computes on no device of its own; write device under forward, "
               "or at the top");
  }
  if (can_run(spec, device)) return "";
  return str(spec.name, " runs on ", joined(spec.devices), " alone, not on ",
             shown(device));
}

}  // namespace

void check_devices(Draft& draft, Problems& problems) {
  for (const StageDraft* stage : draft.stages()) {
    if (!stage->is_in_place) continue;
    const StageSpec& spec = *stage->config.spec;
    // The file's device is for the stages that name some.
    const bool is_own = stage->device.is_given;
    if (!is_own && (!draft.device.is_given || spec.devices.empty())) continue;
    const auto& device = is_own
                             ? stage->config.device
                             : std::get<std::string>(draft.file.device.value);
    const std::string problem = problem_of(spec, device);
    if (problem.empty()) continue;
    refuse(is_own ? stage->device : draft.device, problem, problems);
  }
}

}  // namespace penstock::config

#include "config/devices.h"

#include <algorithm>

#include "base/quote.h"
#include "penstock/placement.h"

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

bool is_on_gpu(const std::string& device) { return kind_of(device) == "cuda"; }

void refuse(const ValuePlace& place, const std::string& text,
            Problems& problems) {
  if (place.at) {
    problems.add(*place.at, text);
  } else {
    problems.add_override(place.override, text);
  }
}

/// Why the stage cannot be there; "": it can.
std::string problem_of(const StageSpec& spec, const std::string& text) {
  if (spec.devices.empty()) {
    return str(spec.name,
               " computes on no device of its own; write device under forward, "
               "or at the top");
  }
  const auto devices = listed_devices(text);
  if (devices.size() > 1 && spec.kind != StageKind::kForward) {
    return "of several devices each runs a replica of forward; " + spec.name +
           " is a " + to_string(spec.kind) + " stage and has one";
  }
  for (const std::string& device : devices) {
    if (can_run(spec, device)) continue;
    return str(spec.name, " runs on ", joined(spec.devices), " alone, not on ",
               shown(device));
  }
  return "";
}

/// The device that is in force, before finish_stages() writes it down.
std::string device_in_force(const StageDraft& stage, const Draft& draft) {
  return stage.device.is_given || !stage.config.device_source.empty()
             ? stage.config.device
             : std::get<std::string>(draft.file.device.value);
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

void deny_copies(Draft& draft, Problems& problems) {
  StageDraft& forward = draft.forward;
  if (!draft.copies.is_denied || !forward.is_in_place) return;
  const std::string device = device_in_force(forward, draft);
  if (device == "auto") {
    forward.config.device = "cpu";
    forward.config.device_source = draft.copies.source + " (copies: deny)";
    return;
  }
  const auto devices = listed_devices(device);
  if (std::none_of(devices.begin(), devices.end(), is_on_gpu)) return;
  refuse(forward.device.is_given ? forward.device : draft.device,
         str(forward.config.spec->name, " on ", device,
             " is copied the inputs of each step from ",
             draft.batch.is_in_place ? draft.batch.config.spec->name : "batch",
             " on the CPU, and copies is deny (", draft.copies.source,
             "); write copies: allow, or device: cpu"),
         problems);
}

}  // namespace penstock::config

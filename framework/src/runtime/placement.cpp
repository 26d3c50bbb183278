#include "runtime/placement.h"

#include <algorithm>
#include <string>

#include "models/gpu_use.h"
#include "penstock/pipeline.h"
#include "penstock/placement.h"
#include "runtime/copies.h"

namespace penstock {
namespace {

/// A stage of the loop that `auto` must leave on the CPU; null: none.
const StageConfig* bound_to_cpu(const PipelineFile& file) {
  for (const StageConfig* stage : {&file.batch, &file.forward, &file.decode}) {
    const auto& devices = stage->spec->devices;
    const bool is_free =
        devices.empty() && stage->spec->kind != StageKind::kForward;
    if (!is_free &&
        std::find(devices.begin(), devices.end(), "cuda") == devices.end()) {
      return stage;
    }
  }
  return nullptr;
}

bool is_auto(const PipelineFile& file) {
  return file.forward.device.empty() || file.forward.device == "auto";
}

/// Why `auto` took what it took.
std::string reason_for(const PipelineFile& file, const at::Device& device) {
  if (const StageConfig* stage = bound_to_cpu(file)) {
    return named(*stage) + " runs on the CPU alone";
  }
  const Gpus gpus = find_gpus();
  if (device.is_cpu()) return why_no_gpu(&file.forward, gpus, /*index=*/0);
  return gpus.all.empty() ? "a GPU is here"
                          : "the first GPU here, " + gpus.all.front().name;
}

}  // namespace

std::vector<at::Device> devices_of(const PipelineFile& file) {
  if (is_auto(file)) {
    return {bound_to_cpu(file) == nullptr
                ? resolve_device("auto", &file.forward)
                : at::Device(at::kCPU)};
  }
  std::vector<at::Device> out;
  for (const std::string& name : listed_devices(file.forward.device)) {
    out.push_back(resolve_device(name, &file.forward));
  }
  return out;
}

std::vector<std::string> names_of(const std::vector<at::Device>& devices) {
  std::vector<std::string> out;
  out.reserve(devices.size());
  for (const at::Device& device : devices) out.push_back(device.str());
  return out;
}

Placement place(const PipelineFile& file) {
  const auto devices = devices_of(file);
  Placement out;
  out.devices = names_of(devices);
  for (const at::Device& device : devices) {
    for (std::string& copy : copies_of(file, device)) {
      out.copies.push_back(std::move(copy));
    }
  }
  if (is_auto(file)) {
    out.why = reason_for(file, devices.front());
  }
  return out;
}

}  // namespace penstock

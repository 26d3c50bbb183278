#include "pipeline_inspect/gpu_uses.h"

#include <algorithm>

#include "pipeline_inspect/listed.h"

namespace penstock::inspect {

nlohmann::ordered_json gpu_uses_json(const std::vector<StageSpec>& stages,
                                     const Gpus& gpus) {
  auto list = nlohmann::ordered_json::array();
  for (const StageSpec& stage : stages) {
    const auto& devices = stage.devices;
    if (std::find(devices.begin(), devices.end(), "cuda") == devices.end()) {
      continue;
    }
    const auto params = stage.params.make();
    std::vector<std::string> why;
    why.reserve(gpus.all.size());
    for (int i = 0; i < static_cast<int>(gpus.all.size()); ++i) {
      why.push_back(stage.why_no_gpu
                        ? stage.why_no_gpu(params.get(), "", gpus, i)
                        : why_unusable(gpus));
    }
    list.push_back({{"stage", stage.name}, {"why", why}});
  }
  return list;
}

std::vector<GpuUse> gpu_uses(const Gpus& gpus, const Options& options) {
  if (gpus.all.empty()) return {};
  std::vector<GpuUse> out;
  for (const Listed& listed : list_all("gpus", options)) {
    if (listed.problem) continue;  // told of by the list of plugins
    for (const auto& use :
         nlohmann::ordered_json::parse(listed.answer.stages)) {
      out.push_back({.stage = use["stage"], .why = use["why"]});
    }
  }
  return out;
}

}  // namespace penstock::inspect

#include "pipeline_inspect/gpu_uses.h"

#include <algorithm>
#include <utility>

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

namespace {

/// To start a child takes longer than to open most plugins, so that all share
/// one; where one of them ends it, or takes long, each has its own.
std::vector<std::string> answers(const Options& options) {
  try {
    return {ask({.use = kEveryPlugin,
                 .form = "gpus",
                 .folders = options.folders,
                 .patience = options.patience})
                .stages};
  } catch (const Error&) {
    std::vector<std::string> out;
    for (Listed& listed : list_all("gpus", options)) {
      // Others are told of by the list of plugins.
      if (!listed.problem) out.push_back(std::move(listed.answer.stages));
    }
    return out;
  }
}

}  // namespace

std::vector<GpuUse> gpu_uses(const Gpus& gpus, const Options& options) {
  if (gpus.all.empty()) return {};
  std::vector<GpuUse> out;
  for (const std::string& answer : answers(options)) {
    for (const auto& use : nlohmann::ordered_json::parse(answer)) {
      out.push_back({.stage = use["stage"], .why = use["why"]});
    }
  }
  return out;
}

}  // namespace penstock::inspect

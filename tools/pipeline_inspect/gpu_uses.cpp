#include "pipeline_inspect/gpu_uses.h"

#include <algorithm>
#include <utility>

#include "penstock/error.h"
#include "pipeline_inspect/listed.h"

namespace penstock::inspect {
namespace {

std::string why_not(const StageSpec& stage, const void* params,
                    const Gpus& gpus, int index) {
  return stage.why_no_gpu ? stage.why_no_gpu(params, "", gpus, index)
                          : why_unusable(gpus);
}

/// "param: choice: why" of each choice that the card cannot run.
std::vector<std::string> choices_without(const StageSpec& stage,
                                         const Gpus& gpus, int index) {
  std::vector<std::string> out;
  if (!stage.why_no_gpu) return out;
  for (const ParamSpec& spec : stage.params.specs()) {
    for (const std::string& choice : spec.choices) {
      const auto params = stage.params.make();
      stage.params.set(params.get(), spec, choice);
      if (!stage.params.conflict(params.get()).empty()) continue;
      const std::string why = why_not(stage, params.get(), gpus, index);
      if (why.empty()) continue;
      out.push_back(str(spec.name, ": ", choice, ": ", why));
    }
  }
  return out;
}

}  // namespace

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
    std::vector<std::vector<std::string>> but;
    for (int i = 0; i < static_cast<int>(gpus.all.size()); ++i) {
      why.push_back(why_not(stage, params.get(), gpus, i));
      but.emplace_back();
      if (why.back().empty()) but.back() = choices_without(stage, gpus, i);
    }
    list.push_back({{"stage", stage.name}, {"why", why}, {"but", but}});
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
      out.push_back(
          {.stage = use["stage"], .why = use["why"], .but = use["but"]});
    }
  }
  return out;
}

}  // namespace penstock::inspect

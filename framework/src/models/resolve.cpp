// What the words of a pipeline file mean on this machine: devices and models.
#include <ATen/Context.h>

#include <algorithm>
#include <filesystem>

#include "models/gpu_use.h"
#include "models/home.h"
#include "penstock/gpus.h"
#include "penstock/models.h"
#include "penstock/pipeline.h"

namespace penstock {
namespace {

std::string why_no_aten(const Gpus& gpus) {
  std::string why = why_unusable(gpus);
  if (!why.empty()) return why;
  try {
    if (at::detail::getCUDAHooks().deviceCount() > 0) return "";
    return "libtorch finds none";
  } catch (const std::exception&) {
    return "libtorch's CUDA does not start";
  }
}

/// Its file, for a look at the head; "": there is none yet, or it cannot be
/// found, which whoever opens it says best.
std::string model_of(const StageConfig& stage) {
  try {
    return stage.model.empty() ? "" : resolve_model(stage.model);
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

std::string why_no_gpu(const StageConfig* forward, const Gpus& gpus,
                       int index) {
  if (gpus.all.empty()) return gpus.why_none;
  if (forward == nullptr || !forward->spec->why_no_gpu) {
    return why_no_aten(gpus);
  }
  return forward->spec->why_no_gpu(forward->params.get(), model_of(*forward),
                                   gpus, index);
}

at::Device resolve_device(const std::string& text, const StageConfig* forward) {
  if (text == "cpu") return at::kCPU;
  const bool is_auto = text.empty() || text == "auto";
  const at::Device device(is_auto || text == "cuda" ? "cuda:0" : text);
  const Gpus gpus = find_gpus();
  const int count = static_cast<int>(gpus.all.size());
  if (count > 0 && device.index() >= count) {
    throw Error(
        Code::kUnavailable,
        str("device '", text, "' does not exist: ", count, " GPUs are here"));
  }
  const std::string why = why_no_gpu(forward, gpus, device.index());
  if (why.empty()) return device;
  if (is_auto) return at::kCPU;
  throw Error(Code::kUnavailable, str("device '", text, "' is not available",
                                      forward == nullptr || count == 0
                                          ? ""
                                          : str(" to ", forward->spec->name),
                                      ": ", why, "; use --device cpu"));
}

std::string resolve_model(const std::string& text) {
  namespace fs = std::filesystem;
  if (is_hub_model(text)) return hub_model_path(text).string();
  if (fs::exists(text)) return text;
  const auto known = known_models();
  for (const KnownModel& model : known) {
    if (model.name != text) continue;
    const fs::path path = model_path(model);
    if (fs::exists(path)) return path.string();
    // Where it lies without HOME is a guess that a person should see.
    const bool is_guess = environment("PENSTOCK_CACHE").empty() &&
                          environment("XDG_CACHE_HOME").empty() &&
                          environment("HOME").empty();
    throw Error(
        Code::kNotFound,
        str("model '", text,
            "' is not here yet; fetch it with: tools/models fetch ", text,
            is_guess ? str("; HOME is not set, so it was looked for in '",
                           cache_folder().string(), "'")
                     : ""));
  }
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const KnownModel& model : known) names.push_back(model.name);
  throw Error(Code::kNotFound, str("there is no model '", text,
                                   "': neither a file nor a name "
                                   "of `tools/models list`",
                                   suggestion(text, names)));
}

}  // namespace penstock

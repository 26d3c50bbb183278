// What the words of a pipeline file mean on this machine: devices and models.
#include <ATen/Context.h>

#include <algorithm>
#include <filesystem>

#include "models/home.h"
#include "penstock/models.h"
#include "penstock/pipeline.h"

namespace penstock {
namespace {

#ifdef PENSTOCK_CUDA
constexpr bool kHasCudaBuild = true;
#else
constexpr bool kHasCudaBuild = false;
#endif

bool has_cuda() {
  try {
    return at::hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0;
  } catch (const std::exception&) {
    return false;  // a CUDA libtorch without a driver throws
  }
}

}  // namespace

at::Device resolve_device(const std::string& text) {
  if (text == "cpu") return at::kCPU;
  if (text.empty() || text == "auto") {
    return has_cuda() ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  }
  const at::Device device(text == "cuda" ? "cuda:0" : text);
  if (!has_cuda()) {
    throw Error(Code::kUnavailable,
                str("device '", text, "' is not available: ",
                    kHasCudaBuild ? "no NVIDIA driver or GPU was found"
                                  : "this build's libtorch has no CUDA",
                    "; use --device cpu"));
  }
  const auto count =
      static_cast<unsigned char>(at::detail::getCUDAHooks().deviceCount());
  if (device.index() >= static_cast<int>(count)) {
    throw Error(Code::kUnavailable,
                str("device '", text, "' does not exist: ",
                    static_cast<int>(count), " GPUs are here"));
  }
  return device;
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

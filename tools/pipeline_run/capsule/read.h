// A capsule's folder, read by whoever runs its call again. It may come from
// anybody: lengths, numbers and names are checked before they are used.
#pragma once

#include <filesystem>
#include <string>

#include "penstock/stage_call.h"

namespace penstock::run {

/// What capsule.json says of itself.
inline constexpr const char* kCapsuleFormat = "penstock capsule 1";

struct KeptCapsule {
  KeptCall call;
  std::string use;      ///< the stage's type, which has to be at call.index
  std::string version;  ///< of the Penstock that made it
  std::string error;    ///< what the call threw; "": nothing
};

/// Of capsule.json, tensors.safetensors and bytes.N; pipeline.yaml is not read.
/// Throws Error, kNotFound or kData, that names the file.
[[nodiscard]] KeptCapsule read_capsule(const std::filesystem::path& folder);

}  // namespace penstock::run

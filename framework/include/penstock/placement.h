// Where the stages of a pipeline run: what `device:` means on this machine, and
// what goes from one device to another. For programs that tell it; a Pipeline
// finds it by itself. Loads no weights.
#pragma once

#include <string>
#include <vector>

#include "penstock/export.h"
#include "penstock/pipeline_file.h"

namespace penstock {

struct Placement {
  /// Of Forward: "cpu", "cuda:1". Several: it runs on each, and every request
  /// on one of them.
  std::vector<std::string> devices;
  /// Why `auto` took that; empty where the file or a person named it.
  std::string why;
  /// What each step copies between stages on different devices, a line each.
  std::vector<std::string> copies;
};

/// Throws Error(kUnavailable) where a device is not there.
[[nodiscard]] PENSTOCK_API Placement place(const PipelineFile& file);

/// The devices of a StageConfig::device, which may be a list: "cuda",
/// "[cuda:0, cuda:1]".
[[nodiscard]] PENSTOCK_API std::vector<std::string> listed_devices(
    const std::string& text);

}  // namespace penstock

// `pipeline-new model`: a file for a model that somebody exported.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline_new/files.h"

namespace penstock::fresh {

struct ModelFileOptions {
  std::filesystem::path model;  ///< .onnx, .xml, .tflite
  std::string name;             ///< of the file; else the model's
  std::vector<std::filesystem::path> folders;  ///< the search path
};

/// Writes NAME.yaml into the current folder: the model with stages around it
/// that fit its ports; says what it takes and gives, and what else would fit.
/// Throws Error: kUsage where the file is there, kUnavailable without the
/// plugin that runs such models, kData where no stage makes its inputs.
[[nodiscard]] Told new_model(const ModelFileOptions& options);

}  // namespace penstock::fresh

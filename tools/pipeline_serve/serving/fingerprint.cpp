#include "pipeline_serve/serving/fingerprint.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "penstock/pipeline.h"

namespace penstock::serve {
namespace {

namespace fs = std::filesystem;

std::string of_one(const fs::path& path) {
  std::error_code ignored;
  const auto size = fs::file_size(path, ignored);
  const auto time = fs::last_write_time(path, ignored);
  return str(path.string(), " ", size, " ", time.time_since_epoch().count(),
             "\n");
}

/// Of a file, or of those in a folder.
std::string of_model(const std::string& name) {
  if (name.empty()) return {};
  fs::path path;
  try {
    path = resolve_model(name);
  } catch (const Error&) {  // opening it says what is wrong
    return name + "\n";
  }
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return of_one(path);
  std::vector<fs::path> files;
  for (const auto& each : fs::directory_iterator(path, ignored)) {
    files.push_back(each.path());
  }
  std::sort(files.begin(), files.end());
  std::string out;
  for (const fs::path& each : files) out += of_one(each);
  return out;
}

std::string of_stage(const StageConfig& stage) {
  std::string out = str(stage.spec->name, " ", stage.device, "\n");
  for (const auto& [name, setting] : stage.settings) {
    out += str(name, "=", to_string(setting.value), "\n");
  }
  return out + of_model(stage.model);
}

}  // namespace

std::string fingerprint(const CompositionFile& file) {
  std::string out;
  for (const StepConfig& step : file.steps) {
    out += str("step ", step.name, " ", step.file.name, " ",
               to_string(step.file.threads.value), "\n");
    for (const auto& [name, edge] : step.in) {
      out += str(name, " from ", edge.input, " each ", edge.each, "\n");
    }
    for (const StageConfig* stage : step.file.stages()) out += of_stage(*stage);
  }
  return out;
}

}  // namespace penstock::serve

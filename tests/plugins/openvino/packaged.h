// What tests of pipelines with packaged models share: golden files, and a
// request's result.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "penstock/models.h"
#include "penstock/plugin_host.h"
#include "penstock/runner.h"

namespace penstock::testing {

inline const std::filesystem::path kTree = PENSTOCK_SOURCE_DIR;
inline const std::filesystem::path kGolden = kTree / "tests/golden";

inline nlohmann::json golden_json(const std::string& name) {
  std::ifstream file(kGolden / name);
  return nlohmann::json::parse(file);
}

/// A picture or sound that lies beside the golden file, or in the media folder.
inline std::string media_path(const std::string& folder,
                              const std::string& name) {
  const auto beside = kGolden / folder / name;
  return std::filesystem::exists(beside)
             ? beside.string()
             : (cache_folder() / "media" / name).string();
}

/// A file of `pipelines/`, opened for the whole of a test.
class PipelineOf {
 public:
  /// `sets` as PENSTOCK_SET has them: "decode.top_k=40;device=cpu".
  explicit PipelineOf(const std::string& name, const std::string& sets = {})
      : runner_(load_file(kTree / "pipelines" / name, plugins_,
                          parse_overrides(sets, "a test"))) {}

  /// What the step `watch` makes of one input, else what all steps do.
  nlohmann::json run(const std::string& name, Value value,
                     const std::string& watch = {}) {
    return nlohmann::json::parse(outcome(name, std::move(value), watch).json());
  }
  Outcome outcome(const std::string& name, Value value,
                  const std::string& watch = {}) {
    Request request;
    request.inputs[name] = std::move(value);
    const auto sink = std::make_shared<Collector>(watch);
    runner_.submit(std::move(request), sink);
    runner_.drain();
    const Outcome& made = sink->wait();
    if (made.report.error) throw std::runtime_error(made.report.error->what());
    return made;
  }

 private:
  PluginHost plugins_{{PENSTOCK_PLUGINS}};
  Runner runner_;
};

}  // namespace penstock::testing

#include "pipeline_serve/pipelines.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "pipeline_run/input/find_pipeline.h"

namespace penstock::serve {
namespace {

struct Named {
  std::string name;  ///< empty: the file's own
  std::string file;

  /// What --set calls it, before its file is read.
  [[nodiscard]] std::string key() const {
    return name.empty() ? std::filesystem::path(file).stem().string() : name;
  }
};

Named named(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return {.name = {}, .file = text};
  return {.name = text.substr(0, equals), .file = text.substr(equals + 1)};
}

/// The overrides of one pipeline, without its name.
std::vector<Override> overrides_of(const std::string& name,
                                   const std::vector<Override>& all) {
  std::vector<Override> out;
  for (const Override& each : all) {
    if (!each.key.starts_with(name + ".")) continue;
    out.push_back(each);
    out.back().key = each.key.substr(name.size() + 1);
  }
  return out;
}

/// Whether the batch has that param and nobody has set it.
bool is_default(const PipelineFile& file, const std::string& param) {
  const auto& settings = file.batch.settings;
  const auto found = settings.find(param);
  return found != settings.end() && found->second.source == "default";
}

void set_default(PipelineFile& file, const std::string& param,
                 const std::string& value) {
  if (!is_default(file, param)) return;
  override_params(file, {{"batch." + param, value, "pipeline-serve"}});
}

/// People send one long instruction with many questions: what prompts share is
/// computed once, within this much memory. And they read along: a step that
/// takes in prompts is not much longer than one that does not. A file that says
/// otherwise wins.
void serve_people(CompositionFile& composition) {
  for (StepConfig& step : composition.steps) {
    set_default(step.file, "prefix_cache", "true");
    set_default(step.file, "kept_mib", "256");
    if (is_default(step.file, "step_ms")) {
      set_default(step.file, "step_ratio", "2");
    }
  }
}

NamedPipeline load_one(const Named& pipeline, const Options& options,
                       StageCatalog& catalog) {
  auto file = run::load_named(pipeline.file, catalog,
                              overrides_of(pipeline.key(), options.overrides));
  serve_people(file);
  std::string name = pipeline.name.empty() ? file.name : pipeline.name;
  return {.name = std::move(name), .file = std::move(file)};
}

void check_overrides(const Options& options,
                     const std::vector<NamedPipeline>& all) {
  for (const Override& each : options.overrides) {
    const std::string name = each.key.substr(0, each.key.find('.'));
    const bool is_known = std::any_of(
        options.pipelines.begin(), options.pipelines.end(),
        [&](const std::string& text) { return name == named(text).key(); });
    if (is_known) continue;
    std::vector<std::string> names;
    for (const auto& pipeline : all) names.push_back(pipeline.name);
    throw Error(Code::kUsage, str("--set ", each.key, ": no pipeline '", name,
                                  "' is served; write NAME.stage.param=value",
                                  suggestion(name, names)));
  }
}

}  // namespace

std::vector<NamedPipeline> load_pipelines(const Options& options,
                                          StageCatalog& catalog) {
  std::vector<NamedPipeline> out;
  std::vector<std::string> problems;
  for (const std::string& text : options.pipelines) {
    const Named pipeline = named(text);
    try {
      auto loaded = load_one(pipeline, options, catalog);
      const bool is_twice = std::any_of(
          out.begin(), out.end(),
          [&](const auto& other) { return other.name == loaded.name; });
      if (is_twice) {
        throw Error(Code::kUsage, str("'", loaded.name, "' is served twice; ",
                                      "write NAME=", pipeline.file));
      }
      out.push_back(std::move(loaded));
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  if (!problems.empty()) throw ConfigError(std::move(problems));
  check_overrides(options, out);
  return out;
}

}  // namespace penstock::serve

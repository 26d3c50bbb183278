#include "pipeline_new/new_pipeline.h"

#include <algorithm>

#include "penstock/plugin_host.h"
#include "pipeline_new/fitting.h"
#include "pipeline_new/names.h"

namespace penstock::fresh {
namespace {

namespace fs = std::filesystem;

/// Every stage of every plugin that can be opened.
std::vector<const StageSpec*> all_stages(PluginHost& host,
                                         std::vector<std::string>& warnings) {
  std::vector<const StageSpec*> stages;
  for (const PluginFacts& plugin : host.plugins()) {
    try {
      for (const StageSpec& spec : host.stages(plugin.name)) {
        stages.push_back(&spec);
      }
    } catch (const Error& error) {
      warnings.push_back(
          str("left out plugin '", plugin.name, "': ", error.text()));
    }
  }
  return stages;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// The request's input that the first stages read: a medium, else text.
std::string input_of(const Choice& choice, StageCatalog& catalog) {
  for (const std::string& name : choice.preprocess) {
    for (const Port& port : catalog.find(name).inputs) {
      if (port.dtype == "media") return port.name;
    }
  }
  return "text";
}

std::string line(const std::string& key, const std::string& stage,
                 const std::vector<std::string>& others) {
  std::string text = "  " + key + std::string(13 - key.size(), ' ') + stage;
  if (!others.empty()) text += "   or " + joined(others);
  return text + "\n";
}

std::string overview(const Fitting& fitting, const Choice& choice) {
  std::string text = line("preprocess", joined(choice.preprocess), {});
  for (const StageKind kind : {StageKind::kBatch, StageKind::kForward,
                               StageKind::kDecode, StageKind::kPostprocess}) {
    text +=
        line(to_string(kind), choice.of(kind), fitting.others(choice, kind));
  }
  return text;
}

/// Nothing says what the pipeline is for: what there is to choose from.
[[noreturn]] void refuse_unnamed(const std::vector<const StageSpec*>& stages) {
  std::string text =
      "say what it is for: --use with a stage that it must have, again and "
      "again. Forward stages:";
  for (const StageSpec* stage : stages) {
    if (stage->kind != StageKind::kForward) continue;
    text += str("\n  ", stage->name, "  ", stage->doc);
  }
  throw Error(Code::kUsage, text);
}

}  // namespace

Told new_pipeline(const PipelineFileOptions& options) {
  check_file_name(options.name);
  const std::string name = without_yaml(options.name);
  const fs::path path = name + ".yaml";
  check_is_free(path);
  PluginHost host(options.folders);
  Told told;
  const auto stages = all_stages(host, told.warnings);
  if (options.uses.empty()) refuse_unnamed(stages);
  const Fitting fitting(host, stages, options.uses);
  const Choice choice = fitting.best();
  write_file(path, pipeline_text(name, choice, input_of(choice, host)));
  (void)load_pipeline_file(path, host);
  told.text =
      str(path.string(), ": written and checked\n", overview(fitting, choice),
          "pipeline-inspect STAGE shows what can be set.\n");
  return told;
}

}  // namespace penstock::fresh

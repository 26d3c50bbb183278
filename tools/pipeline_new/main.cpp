// pipeline-new: begins a plugin, or a pipeline file for stages or for a model.
#include <CLI/CLI.hpp>
#include <iostream>

#include "common/program.h"
#include "common/usage.h"
#include "penstock/sdk_version.h"
#include "pipeline_new/new_model.h"
#include "pipeline_new/new_pipeline.h"
#include "pipeline_new/new_plugin.h"

namespace {

using penstock::fresh::ModelFileOptions;
using penstock::fresh::PipelineFileOptions;
using penstock::fresh::PluginOptions;

constexpr const char* kFooter = R"(
  pipeline-new plugin tidy --stage preprocess:clean --stage decode:choose
      a project with these stages: builds, passes its tests and runs at once
  pipeline-new pipeline classify --use efficientnet.forward
      classify.yaml, of stages that fit together, and what could stand in it
  pipeline-new model mobilenet.onnx
      mobilenet.yaml, which feeds an exported model and reads its answers

Kinds of stages: preprocess, batch, forward, decode, postprocess.

Exit codes: 0 ok, 2 usage, 65 no such stage or nothing fits, 66 not found,
69 no plugin for exported models, 70 a plugin that cannot be used, 75 try again.)";

CLI::App* add_plugin(CLI::App& app, PluginOptions& options) {
  CLI::App* plugin = app.add_subcommand(
      "plugin", "a project with stages of your own, in a new folder");
  plugin->add_option("name", options.name, "what it is called")->required();
  plugin
      ->add_option("--stage", options.stages,
                   "a stage, as preprocess:resize; may be repeated")
      ->type_name("KIND:NAME")
      ->allow_extra_args(false);
  plugin->add_option("--folder", options.folder, "where; else its name")
      ->type_name("DIR");
  return plugin;
}

void add_plugin_path(CLI::App& app, std::vector<std::string>& folders) {
  app.add_option("--plugin-path", folders,
                 "folder to search for plugins first; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

CLI::App* add_pipeline(CLI::App& app, PipelineFileOptions& options,
                       std::vector<std::string>& folders) {
  CLI::App* pipeline = app.add_subcommand(
      "pipeline", "a pipeline file of stages that fit together");
  pipeline
      ->add_option("name", options.name, "of the file, with or without .yaml")
      ->required();
  pipeline
      ->add_option("--use", options.uses,
                   "a stage that it must have; may be repeated")
      ->type_name("STAGE")
      ->allow_extra_args(false);
  add_plugin_path(*pipeline, folders);
  return pipeline;
}

CLI::App* add_model(CLI::App& app, ModelFileOptions& options,
                    std::vector<std::string>& folders) {
  CLI::App* model = app.add_subcommand(
      "model", "a pipeline file for a model of your own, exported");
  model->add_option("model", options.model, "ONNX, OpenVINO (.xml) or TFLite")
      ->type_name("FILE")
      ->required();
  model->add_option("name", options.name,
                    "of the pipeline file; else as the model's");
  add_plugin_path(*model, folders);
  return model;
}

int run(int argc, char** argv) {
  CLI::App app("Begins a plugin or a pipeline file.", "pipeline-new");
  PluginOptions plugin;
  PipelineFileOptions pipeline;
  std::vector<std::string> folders;
  ModelFileOptions model;
  const CLI::App* is_plugin = add_plugin(app, plugin);
  const CLI::App* is_model = add_model(app, model, folders);
  add_pipeline(app, pipeline, folders);
  app.require_subcommand(1);
  app.set_version_flag("--version", "pipeline-new " PENSTOCK_SDK_VERSION,
                       "print the version");
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::CallForVersion&) {
    std::cout << app.version() << "\n";
    return 0;
  } catch (const CLI::ParseError& error) {
    throw penstock::usage_error(app, error);
  }
  if (is_plugin->parsed()) {
    std::cout << penstock::fresh::new_plugin(plugin);
    return 0;
  }
  pipeline.folders = model.folders = penstock::plugin_search_path(folders);
  const auto told = is_model->parsed()
                        ? penstock::fresh::new_model(model)
                        : penstock::fresh::new_pipeline(pipeline);
  std::cout << told.text;
  penstock::warn("pipeline-new", told.warnings);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    penstock::open_standard_streams();
    penstock::leave(run(argc, argv));
  } catch (...) {
    penstock::leave(penstock::complain("pipeline-new"));
  }
}

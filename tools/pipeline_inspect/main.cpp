// pipeline-inspect: which plugins there are, what their stages take and give,
// and why a library cannot be used.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>

#include "common/program.h"
#include "penstock/plugin_host.h"
#include "penstock/sdk_version.h"
#include "pipeline_inspect/devices.h"
#include "pipeline_inspect/graph.h"
#include "pipeline_inspect/probe.h"
#include "pipeline_inspect/report.h"
#include "pipeline_run/input/find_pipeline.h"

namespace {

using penstock::Code;
using penstock::Error;
using penstock::str;

constexpr const char* kFooter = R"(
  pipeline-inspect                    every plugin and its stages
  pipeline-inspect gemma              the stages of one plugin
  pipeline-inspect gemma.tokenize     one stage
  pipeline-inspect lib/x.so           a library: what it is, why it is refused
  pipeline-inspect my/model.onnx      a model's inputs, outputs and metadata, as
                                      openvino.forward has them; .xml, .tflite
  pipeline-inspect --schema           a JSON Schema of pipeline files; editors
                                      find it by a file's first line:
                                      # yaml-language-server: $schema=FILE
  pipeline-inspect --devices          what `device` can be here, and what keeps
                                      which stages from using a GPU
  pipeline-inspect --graph FILE       a pipeline file as a Mermaid graph

Plugins are libpenstock_<name>.so in the folders of --plugin-path, then of
$PENSTOCK_PLUGIN_PATH, then in ../lib/penstock/plugins beside this program and
penstock/plugins beside libpenstock.so.

Exit codes: 0 ok, 2 usage, 65 no such plugin or stage, 66 no such file,
70 a plugin that cannot be used, 75 try again.)";

/// A reader that has gone (`| head`) is no error.
void print(const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote =
        write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EPIPE) return;
    if (wrote < 0) {
      throw Error(Code::kRetry, "cannot write the result: " +
                                    std::generic_category().message(errno));
    }
    done += static_cast<std::size_t>(wrote);
  }
}

void print_graph(const std::string& name, bool is_dot,
                 const std::vector<std::filesystem::path>& folders) {
  penstock::PluginHost host(folders);
  const auto file = penstock::run::load_named(name, host, {});
  print(is_dot ? penstock::inspect::dot(file)
               : penstock::inspect::mermaid(file));
  penstock::warn("pipeline-inspect", host.warnings());
}

// lint: long, a table of flags
int run(int argc, char** argv) {
  CLI::App app("Shows plugins, their stages, and why a library is refused.",
               "pipeline-inspect");
  penstock::inspect::Options options;
  std::vector<std::string> folders;
  auto* subject =
      app.add_option("subject", options.subject,
                     "a plugin, plugin.stage, or the path of a library or of "
                     "a model");
  app.add_option("--plugin-path", folders,
                 "folder to search for plugins first; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
  std::int64_t patience = options.patience.count();
  app.add_option("--patience", patience,
                 "how long a plugin may take to open, as one that asks a "
                 "server must")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  app.add_flag("--json", options.is_json, "print JSON");
  auto* schema = app.add_flag("--schema", options.is_schema,
                              "print a JSON Schema of pipeline files");
  std::string graph;
  auto* graph_option =
      app.add_option("--graph", graph,
                     "print a pipeline file as a graph: a path, or the name of "
                     "one that came along")
          ->type_name("FILE")
          ->excludes(subject)
          ->excludes(schema);
  bool is_dot = false;
  app.add_flag("--dot", is_dot, "the graph for Graphviz, not for Mermaid")
      ->needs(graph_option);
  schema->excludes(subject);
  bool is_devices = false;
  app.add_flag("--devices", is_devices,
               "print the processor and the GPUs that are here")
      ->excludes(subject)
      ->excludes(schema)
      ->excludes(graph_option);
  app.set_version_flag("--version", "pipeline-inspect " PENSTOCK_SDK_VERSION,
                       "print the version");
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return 0;
  } catch (const CLI::CallForVersion&) {
    print(app.version() + "\n");
    return 0;
  } catch (const CLI::ParseError& error) {
    throw Error(Code::kUsage,
                str(error.what(), "; see pipeline-inspect --help"));
  }
  options.patience = std::chrono::seconds(patience);
  options.folders = penstock::plugin_search_path(folders);
  if (is_devices) {
    const auto gpus = penstock::find_gpus();
    print(penstock::inspect::devices(
        gpus, penstock::inspect::gpu_uses(gpus, options), options.is_json));
    return 0;
  }
  if (!graph.empty()) {
    print_graph(graph, is_dot, options.folders);
    return 0;
  }
  const auto report = penstock::inspect::report(options);
  print(report.text);
  penstock::warn("pipeline-inspect", report.warnings);
  int code = 0;
  for (const Error& problem : report.problems)
    code = penstock::complain("pipeline-inspect", problem);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv, argv + argc);
    if (arguments.size() >= 4 &&
        arguments[1] == penstock::inspect::kProbeFlag) {
      penstock::inspect::answer({arguments.begin() + 2, arguments.end()});
    }
    penstock::open_standard_streams();
    std::signal(SIGPIPE, SIG_IGN);
    penstock::leave(run(argc, argv));
  } catch (...) {
    penstock::leave(penstock::complain("pipeline-inspect"));
  }
}

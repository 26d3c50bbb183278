// pipeline-bench: how fast a pipeline is, on each device and for batches of
// each size.
#include <CLI/CLI.hpp>

#include "common/program.h"
#include "common/usage.h"
#include "penstock/crash.h"
#include "penstock/sdk_version.h"
#include "pipeline_bench/options.h"

namespace {

using penstock::Code;
using penstock::Error;
using penstock::str;
using penstock::bench::Options;

constexpr const char* kFooter = R"(
A run submits a batch of requests at the same time and waits for all. Pipelines
of text get prompts of the same length, made of the file's inputs.

examples:
  pipeline-bench gemma_text.yaml --device cpu,cuda --json latency.json
  pipeline-bench gemma_text.yaml --prompt-tokens 512 --batch 1,8
  pipeline-bench image_classify.yaml photos/ --batch 16
  tools/plot_latency latency.json latency.png

exit codes: as pipeline-run's; 69 when no device of those named is there)";

// lint: long, a table of flags
int main_or_throw(int argc, char** argv) {
  CLI::App app("Measures a pipeline.", "pipeline-bench");
  Options options;
  std::string threads;
  std::vector<std::string> sets;
  app.footer(kFooter);
  app.set_version_flag("--version", "pipeline-bench " PENSTOCK_SDK_VERSION);
  app.add_option("FILE", options.file,
                 "a pipeline file, or the name of one that came along")
      ->required();
  app.add_option("INPUT", options.files,
                 "files and folders, for pipelines that take them");
  app.add_option("--device", options.devices, "one or more of cpu, cuda:N")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--batch", options.batches, "requests at a time")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--runs", options.runs, "measured runs of each")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--warmup", options.warmup, "runs before those")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--prompt-tokens", options.prompt_tokens, "of a text")
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  app.add_option("--new-tokens", options.new_tokens, "of an answer")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--threads", threads, "compute threads, 0: every core");
  app.add_option("--set", sets, "stage.param=value (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--plugin-path", options.plugin_path,
                 "search plugins here first (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--json", options.json,
                 "write every time to this file, - for stdout");
  app.add_flag("--quiet", options.quiet, "do not say what is measured now");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    throw penstock::usage_error(app, error);
  }
  for (const std::string& each : sets) {
    const auto parsed = penstock::parse_overrides(each, "--set");
    options.overrides.insert(options.overrides.end(), parsed.begin(),
                             parsed.end());
  }
  if (!threads.empty()) {
    options.overrides.push_back({"threads", threads, "--threads"});
  }
  return penstock::bench::bench(options);
}

}  // namespace

int main(int argc, char** argv) {
  penstock::open_standard_streams();
  penstock::report_crashes("pipeline-bench");
  try {
    penstock::leave(main_or_throw(argc, argv));
  } catch (...) {
    penstock::leave(penstock::complain("pipeline-bench"));
  }
}

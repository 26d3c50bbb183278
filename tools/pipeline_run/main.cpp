// pipeline-run: runs a pipeline file on texts, lines of stdin or JSONL.
#include <CLI/CLI.hpp>
#include <iostream>

#include "options.h"
#include "penstock/sdk_version.h"
#include "program.h"

namespace {

using penstock::Code;
using penstock::Error;
using penstock::run::Options;

constexpr const char* kFooter = R"(
examples:
  pipeline-run gemma_text.yaml
  pipeline-run gemma_text.yaml --text "The capital of France is"
  pipeline-run gemma_text.yaml --jsonl in.jsonl --json > out.jsonl
  pipeline-run gemma_text.yaml --set decode.temperature=0.8 --seed 7

environment: PENSTOCK_DEVICE, PENSTOCK_THREADS, PENSTOCK_SET="a.b=v;c.d=w",
  PENSTOCK_PLUGIN_PATH, PENSTOCK_CACHE

exit codes: 0 ok, 2 usage, 65 bad pipeline, model or input, 66 not found,
  69 device not available, 70 internal, 75 try again, 130/143 interrupted)";

/// What the flags hold before they become Options.
struct Flags {
  std::string dash, device, threads, seed;
  std::vector<std::string> sets;
};

void declare_inputs(CLI::App& app, Options& options, Flags& flags) {
  app.add_option("FILE", options.file,
                 "a pipeline file, or the name of one that came along")
      ->required();
  app.add_option("INPUT", flags.dash, "a dash: run each line of stdin");
  app.add_option("--text", options.texts, "run this text (repeatable)")
      ->allow_extra_args(false);
  app.add_flag("--stdin", options.use_stdin, "run each line of stdin");
  app.add_option("--jsonl", options.jsonl,
                 "run the JSON lines of a file, - for stdin");
}

void declare_run(CLI::App& app, Options& options, Flags& flags) {
  app.add_option("--device", flags.device, "cpu, cuda, cuda:N or auto");
  app.add_option("--threads", flags.threads, "compute threads, 0: every core");
  app.add_option("--seed", flags.seed, "of random choices");
  app.add_option("--set", flags.sets, "stage.param=value (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--timeout", options.timeout_s, "seconds for each request")
      ->check(CLI::Range(0.001, 1e9));
  app.add_option("--plugin-path", options.plugin_path,
                 "search plugins here first (repeatable)")
      ->allow_extra_args(false);
}

void declare_output(CLI::App& app, Options& options) {
  app.add_flag("--json", options.json, "print one JSON line per result");
  app.add_flag("--show", options.show, "print what each stage made");
  app.add_option("--until", options.until, "stop after this stage, print ids")
      ->check(CLI::IsMember({"preprocess"}));
  app.add_option("--trace", options.trace,
                 "write a Chrome/Perfetto trace to this file");
  app.add_flag("--summary", options.summary, "print where the time went");
  app.add_flag("--quiet", options.quiet, "no summary line on a terminal");
  app.add_flag("--check", options.check, "check everything, run nothing");
  app.add_flag("--explain", options.explain,
               "print the pipeline in force and where each value came from");
}

void set_override(Options& options, const std::string& flag,
                  const std::string& key, const std::string& value) {
  if (!value.empty()) options.overrides.push_back({key, value, flag});
}

void take(Options& options, const Flags& flags) {
  if (!flags.dash.empty() && flags.dash != "-") {
    throw Error(Code::kUsage, "'" + flags.dash +
                                  "' is not understood; for "
                                  "text use --text \"" +
                                  flags.dash + "\"");
  }
  options.use_stdin |= flags.dash == "-";
  const int sources = static_cast<int>(!options.texts.empty()) +
                      static_cast<int>(options.use_stdin) +
                      static_cast<int>(!options.jsonl.empty());
  if (sources > 1) {
    throw Error(Code::kUsage, "--text, --stdin and --jsonl exclude each other");
  }
  for (const std::string& each : flags.sets) {
    const auto parsed = penstock::parse_overrides(each, "--set");
    options.overrides.insert(options.overrides.end(), parsed.begin(),
                             parsed.end());
  }
  set_override(options, "--device", "device", flags.device);
  set_override(options, "--threads", "threads", flags.threads);
  set_override(options, "--seed", "decode.seed", flags.seed);
}

int complain(const Error& error) {
  std::cerr << "pipeline-run: " << error.what() << "\n";
  return static_cast<int>(error.code());
}

int main_or_throw(int argc, char** argv) {
  CLI::App app("Runs a pipeline file.", "pipeline-run");
  Options options;
  Flags flags;
  app.footer(kFooter);
  app.set_version_flag("--version", "pipeline-run " PENSTOCK_SDK_VERSION);
  declare_inputs(app, options, flags);
  declare_run(app, options, flags);
  declare_output(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_help = error.get_exit_code() == 0;
    app.exit(error);
    return is_help ? 0 : static_cast<int>(Code::kUsage);
  }
  take(options, flags);
  return penstock::run::run(options);
}

}  // namespace

int main(int argc, char** argv) {
  penstock::open_standard_streams();
  try {
    return main_or_throw(argc, argv);
  } catch (const Error& error) {
    return complain(error);
  } catch (const std::exception& error) {
    return complain(Error(Code::kInternal, error.what()));
  }
}

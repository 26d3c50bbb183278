// pipeline-serve: pipelines behind HTTP.
#include <CLI/CLI.hpp>
#include <optional>

#include "common/program.h"
#include "common/usage.h"
#include "penstock/crash.h"
#include "penstock/parallel.h"
#include "penstock/sdk_version.h"
#include "pipeline_serve/options.h"
#include "pipeline_serve/serve_file.h"

namespace {

using penstock::Code;
using penstock::Error;
using penstock::str;
using penstock::serve::Options;

constexpr const char* kFooter = R"(
examples:
  pipeline-serve gemma_chat.yaml
  pipeline-serve chat=gemma_chat.yaml speech_to_text.yaml image_classify.yaml
  pipeline-serve gemma_text.yaml --set gemma_text.batch.max_sequences=16
  pipeline-serve gemma_chat.yaml --host 0.0.0.0 --api-key-file keys.txt
  pipeline-serve --config serve.yaml

signals: SIGTERM and Ctrl-C let what runs end, the second ends at once; SIGHUP
reads the keys, serve.yaml and the pipeline files again
exit codes: 0 ended as asked; 2 usage; 65 a file is wrong; 66 a file or model is
missing; 69 the address is in use; 70 a plugin or the framework failed)";

struct Flags {
  std::string config;
  std::vector<std::string> pipelines;  ///< beside those of the file
  std::vector<std::string> sets;
};

void declare_pipelines(CLI::App& app, Options& options, Flags& flags) {
  app.add_option("PIPELINE", flags.pipelines,
                 "pipeline files, or names of those that came along; NAME=FILE "
                 "serves it under another name");
  app.add_option("--config", flags.config,
                 "a serve.yaml: pipelines and all of this; flags win");
  app.add_option("--set", flags.sets,
                 "NAME.stage.param=value, over the file of that pipeline")
      ->allow_extra_args(false);
  app.add_option("--plugin-path", options.plugin_path,
                 "folders of plugins, before the others")
      ->allow_extra_args(false);
  app.add_option("--threads", options.threads, "that compute; 0: every core")
      ->check(CLI::Range(0, 4096));
  app.add_flag("--check", options.check, "check the files and end");
  app.add_flag("--explain", options.explain,
               "print every value in force and where it came from");
}

void declare_address(CLI::App& app, Options& options) {
  app.add_option("--host", options.address.host, "the address to listen on")
      ->capture_default_str();
  app.add_option("--port", options.address.port, "0: one that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--unix-socket", options.address.unix_path,
                 "a socket file, instead of host and port");
  auto* certificate =
      app.add_option("--tls-cert", options.certificate, "PEM, with its chain");
  auto* key = app.add_option("--tls-key", options.key, "PEM");
  certificate->needs(key);
  key->needs(certificate);
  app.add_option("--api-key-file", options.key_file,
                 "a key a line, or sha256:HEX of it; then name=, "
                 "requests_per_minute=, concurrency=");
  app.add_flag("--insecure", options.is_insecure,
               "an address that others reach, without keys");
  app.add_option("--cors-origin", options.front.origins,
                 "whose pages may call, such as http://app.example")
      ->allow_extra_args(false);
}

void declare_limits(CLI::App& app, Options& options) {
  app.add_option("--max-queue", options.served.max_queue,
                 "requests that wait, of each pipeline; then 429")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  app.add_option("--request-timeout", options.served.timeout_s,
                 "seconds of a request; 0: no end")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--stall-timeout", options.served.stall_s,
                 "seconds until a stage that does not return is told of, 0: "
                 "never; nothing is ended")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--drain-timeout", options.drain_s,
                 "seconds that running requests have after SIGTERM")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
}

void declare_sizes(CLI::App& app, penstock::serve::Limits& limits) {
  app.add_option("--max-connections", limits.connections)
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--max-header", limits.header_bytes, "bytes")
      ->check(CLI::Range(256, 1 << 20))
      ->capture_default_str();
  app.add_option("--max-body", limits.body_bytes, "bytes of JSON")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  app.add_option("--max-media", limits.media_bytes, "bytes of an upload")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  app.add_option("--header-timeout", limits.header_s, "seconds")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
  app.add_option("--body-timeout", limits.body_s, "seconds")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
  app.add_option("--idle-timeout", limits.idle_s, "seconds between requests")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
}

void declare_logs(CLI::App& app, Options& options) {
  app.add_option("--access-log", options.front.access_log,
                 "a file of JSON lines; -: stderr");
  app.add_option(
      "--trace", options.trace,
      "a Chrome/Perfetto trace: requests with their traceparent, and "
      "what pipelines did last; written at the end and at SIGHUP");
  app.add_flag("--summary", options.summary, "what was done, at the end");
}

/// The value of --config; null: none.
const char* config_of(int argc, char** argv) {
  constexpr std::string_view kFlag = "--config";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == kFlag && i + 1 < argc) return argv[i + 1];
    if (word.starts_with("--config=")) return argv[i] + kFlag.size() + 1;
  }
  return nullptr;
}

/// Reads flags, over the file that --config names. The exit code, where nothing
/// is to be served, as for --help.
std::optional<int> read_options(int argc, char** argv, Options& options) {
  CLI::App app("Serves pipelines over HTTP.", "pipeline-serve");
  Flags flags;
  app.footer(kFooter);
  app.set_version_flag("--version", "pipeline-serve " PENSTOCK_SDK_VERSION);
  declare_pipelines(app, options, flags);
  declare_address(app, options);
  declare_limits(app, options);
  declare_sizes(app, options.front.limits);
  declare_logs(app, options);
  // First, so that flags are set over it.
  if (const char* config = config_of(argc, argv)) {
    penstock::serve::read_serve_file(config, options);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    throw penstock::usage_error(app, error);
  }
  options.pipelines.insert(options.pipelines.end(), flags.pipelines.begin(),
                           flags.pipelines.end());
  if (options.pipelines.empty()) {
    throw Error(Code::kUsage,
                "no pipeline is named; try: pipeline-serve gemma_chat.yaml");
  }
  for (const std::string& text : flags.sets) {
    const auto parsed = penstock::parse_overrides(text, "--set");
    options.overrides.insert(options.overrides.end(), parsed.begin(),
                             parsed.end());
  }
  return std::nullopt;
}

int main_or_throw(int argc, char** argv) {
  Options options;
  if (const auto code = read_options(argc, argv, options)) return *code;
  penstock::set_threads(options.threads);
  return penstock::serve::serve(std::move(options), [argc, argv] {
    Options again;
    (void)read_options(argc, argv, again);
    return again;
  });
}

}  // namespace

int main(int argc, char** argv) {
  penstock::open_standard_streams();
  penstock::report_crashes("pipeline-serve");
  try {
    penstock::leave(main_or_throw(argc, argv));
  } catch (...) {
    penstock::leave(penstock::complain("pipeline-serve"));
  }
}

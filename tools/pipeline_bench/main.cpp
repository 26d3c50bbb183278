// pipeline-bench: how fast a pipeline is, on each device and for batches of
// each size.
#include <CLI/CLI.hpp>
#include <algorithm>

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
A run submits a batch of requests at the same time and waits for all, or sends
requests as they would come (--rate). Pipelines of text get prompts of the same
length, made of the file's inputs.

Variants (each --device, each --vs) are measured in turns, A B C A B C, and
compared run by run: a ratio of 1.2 means 1.2 times as fast as A, with the
interval that holds the true value in 95 of 100 such measurements. Runs before
the times have settled are a warm-up and do not count.

examples:
  pipeline-bench gemma_text.yaml --device cpu,cuda --json latency.json
  pipeline-bench gemma_text.yaml --prompt-tokens 512 --batch 1,8
  pipeline-bench gemma_text.yaml --vs batch.max_sequences=1 --html report.html
  pipeline-bench gemma_text.yaml --vs 'forward.dtype=fp32;decode.top_k=1' \
    --rate 2,4 --runs 10
  pipeline-bench image_classify.yaml photos/ --batch 16
  tools/plot_latency latency.json latency.png

exit codes: as pipeline-run's; 69 when no device of those named is there)";

constexpr std::size_t kMostVariants = 8;

/// A number that --rate takes, or why it is none.
std::string rate(const std::string& value) {
  double number = 0;  // NaN is in no range
  const bool is_good = CLI::detail::lexical_cast(value, number) &&
                       number >= 0.001 && number <= 1e6;
  return is_good
             ? ""
             : "expected requests a second in 0.001..1e6, not '" + value + "'";
}

void declare_loads(CLI::App& app, Options& options) {
  app.add_option("--batch", options.batches,
                 "requests at a time; 1,2,4,8,16 where no --rate is given")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 4096));
  app.add_option("--rate", options.rates,
                 "requests a second, sent at exponential gaps whether or not "
                 "those before are done")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(rate);
  app.add_option("--requests", options.requests, "of a run at a rate")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  app.add_option("--runs", options.runs, "measured runs of each")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--warmup", options.warmup,
                 "runs before those; by default until they get no faster, at "
                 "most 10")
      ->check(CLI::Range(0, 1000));
  app.add_option("--prompt-tokens", options.prompt_tokens, "of a text")
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  app.add_option("--new-tokens", options.new_tokens, "of an answer")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
}

/// What the flags hold before they become Options.
struct Flags {
  std::string threads;
  std::vector<std::string> sets;
};

void declare(CLI::App& app, Options& options, Flags& flags) {
  app.add_option("FILE", options.file,
                 "a pipeline file, or the name of one that came along")
      ->required();
  app.add_option("INPUT", options.files,
                 "files and folders, for pipelines that take them");
  app.add_option("--device", options.devices,
                 "one or more of cpu, cuda:N; each a variant")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--vs", options.versus,
                 "measure this variant as well: stage.param=value;... over the "
                 "file and --set (repeatable)")
      ->allow_extra_args(false);
  declare_loads(app, options);
  app.add_option("--threads", flags.threads, "compute threads, 0: every core");
  app.add_option("--set", flags.sets, "stage.param=value (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--plugin-path", options.plugin_path,
                 "search plugins here first (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--json", options.json,
                 "write every time to this file, - for stdout");
  app.add_option("--html", options.html,
                 "write a report with plots to this file");
  app.add_flag("--quiet", options.quiet, "do not say what is measured now");
}

/// Throws Error where what was parsed does not fit together.
void take(Options& options, const Flags& flags) {
  const std::size_t variants =
      std::max<std::size_t>(1, options.devices.size()) *
      (1 + options.versus.size());
  if (variants > kMostVariants) {
    throw Error(Code::kUsage, str("these are ", variants, " variants; at most ",
                                  kMostVariants, " can be compared at once"));
  }
  if (options.batches.empty() && options.rates.empty()) {
    options.batches = {1, 2, 4, 8, 16};
  }
  for (const std::string& each : flags.sets) {
    const auto parsed = penstock::parse_overrides(each, "--set");
    options.overrides.insert(options.overrides.end(), parsed.begin(),
                             parsed.end());
  }
  if (!flags.threads.empty()) {
    options.overrides.push_back({"threads", flags.threads, "--threads"});
  }
}

int main_or_throw(int argc, char** argv) {
  CLI::App app("Measures a pipeline.", "pipeline-bench");
  Options options;
  Flags flags;
  app.footer(kFooter);
  app.set_version_flag("--version", "pipeline-bench " PENSTOCK_SDK_VERSION);
  declare(app, options, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    throw penstock::usage_error(app, error);
  }
  take(options, flags);
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

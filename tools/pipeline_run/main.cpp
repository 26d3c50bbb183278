// pipeline-run: runs a pipeline file on texts, files, lines of stdin or JSONL.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "common/program.h"
#include "common/usage.h"
#include "penstock/crash.h"
#include "penstock/params.h"
#include "penstock/sdk_version.h"
#include "pipeline_run/memory/memory.h"
#include "pipeline_run/options.h"
#include "pipeline_run/output/real_stdout.h"

namespace {

using penstock::Code;
using penstock::Error;
using penstock::str;
using penstock::run::Options;

constexpr const char* kFooter = R"(
examples:
  pipeline-run gemma_text.yaml
  pipeline-run gemma_text.yaml --text "The capital of France is"
  pipeline-run gemma_text.yaml --jsonl in.jsonl --output out.jsonl --resume
  pipeline-run image_classify.yaml photo.jpg more/*.png a_folder
  pipeline-run video_report.yaml film.mp4 --render a_folder
  pipeline-run gemma_chat.yaml --chat
  pipeline-run gemma_text.yaml --set decode.temperature=0.8 --seed 7
  pipeline-run gemma_text.yaml --until forward --json
  pipeline-run gemma_text.yaml --dump a_new_folder
  pipeline-run voice_to_gemma.yaml talk.wav --until answer.forward
  pipeline-run gemma_text.yaml --compare reference,native
  pipeline-run gemma_text.yaml --jsonl in.jsonl --capsule what_failed
  gdb --args pipeline-run --replay what_failed

environment: PENSTOCK_DEVICE, PENSTOCK_THREADS, PENSTOCK_SET="a.b=v;c.d=w",
  PENSTOCK_PLUGIN_PATH, PENSTOCK_CACHE

exit codes: 0 ok, 1 --compare found a difference, 2 usage, 65 bad pipeline,
  model or input, 66 not found, 69 device not available, 70 internal, 75 try
  again, 130/143 interrupted)";

/// An unset shell variable must not mean "without".
std::string given(const std::string& value) {
  return value.empty() ? "the value is empty" : "";
}
std::string seconds(const std::string& value) {
  double number = 0;  // NaN is in no range
  const bool is_good = CLI::detail::lexical_cast(value, number) &&
                       number >= 0.001 && number <= 1e9;
  return is_good ? "" : "expected seconds in 0.001..1e9, not '" + value + "'";
}

/// What the flags hold before they become Options.
struct Flags {
  std::string device, threads, seed;
  std::string show_step;  ///< behind --show
  std::string until;      ///< STAGE or STEP.STAGE
  std::vector<std::string> sets;
  bool has_file = false;
};

void declare_inputs(CLI::App& app, Options& options) {
  app.add_option("FILE", options.file,
                 "a pipeline file, or the name of one that came along");
  app.add_option("INPUT", options.files,
                 "files and folders, for pipelines that take them; a dash: "
                 "stdin, as a file or as lines of text");
  app.add_option("--input", options.named,
                 "an input by name, NAME=VALUE (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--text", options.texts, "run this text (repeatable)")
      ->allow_extra_args(false);
  app.add_flag("--stdin", options.use_stdin, "run each line of stdin");
  app.add_option("--jsonl", options.jsonl,
                 "run the JSON lines of a file, - for stdin")
      ->check(given);
  app.add_flag("--chat", options.chat, "a conversation; /help there says more");
}

void declare_run(CLI::App& app, Options& options, Flags& flags) {
  app.add_option("--device", flags.device, "cpu, cuda, cuda:N or auto")
      ->check(given);
  app.add_option("--threads", flags.threads, "compute threads, 0: every core")
      ->check(given);
  app.add_option("--seed", flags.seed, "of random choices")->check(given);
  app.add_option("--set", flags.sets, "stage.param=value (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--timeout", options.timeout_s, "seconds for each request")
      ->check(seconds);
  app.add_option("--stall-timeout", options.stall_s,
                 "seconds until a stage that does not return is told of, 0: "
                 "never; nothing is ended")
      ->check([](const std::string& value) {
        return value == "0" ? std::string() : seconds(value);
      });
  app.add_option("--plugin-path", options.plugin_path,
                 "search plugins here first (repeatable)")
      ->allow_extra_args(false);
}

/// STAGE, or STEP.STAGE of a composition.
std::string stage(const std::string& value) {
  static const CLI::IsMember known(
      {"preprocess", "batch", "forward", "decode", "postprocess"});
  return known(value.substr(value.rfind('.') + 1));
}

void declare_output(CLI::App& app, Options& options, Flags& flags) {
  app.add_option("--output", options.output,
                 "write the JSON lines to this new file")
      ->check(given);
  app.add_flag("--resume", options.resume,
               "go on behind the results that the file of --output holds");
  app.add_flag("--json", options.json, "print one JSON line per result");
  app.add_flag("--show", options.show,
               "print what each stage made; --show STEP where the file has "
               "steps");
  app.add_option("--show-step", flags.show_step)->check(given)->group("");
  app.add_option("--until", flags.until,
                 "stop after this stage and print what it made; STEP.STAGE "
                 "where the file has steps")
      ->check(stage);
  app.add_option("--dump", options.dump,
                 "keep what every stage made in this new folder: for each "
                 "request one with dump.json and .safetensors files")
      ->check(given);
  app.add_option("--trace", options.trace,
                 "write a Chrome/Perfetto trace to this file; of a long run "
                 "what was last")
      ->check(given);
  app.add_option("--render", options.render,
                 "draw the results into this folder, where the pipeline can")
      ->check(given);
  app.add_flag("--summary", options.summary, "print where the time went");
  app.add_flag("--quiet", options.quiet, "no summary line on a terminal");
  app.add_flag("--check", options.check, "check everything, run nothing");
  app.add_flag("--memory", options.memory,
               "with --check: what the run will take of the memory, by stage; "
               "nothing is loaded");
  app.add_option("--memory-limit", options.memory_limit,
                 "refuse a run that would take more, such as 800M or 1.5G; "
                 "without it, what cannot fit into the machine or its cgroup")
      ->check(given);
  app.add_flag("--explain", options.explain,
               "print the pipeline in force and where each value came from");
}

void declare_faults(CLI::App& app, Options& options) {
  app.add_option("--capsule", options.capsule,
                 "when a stage fails or hangs, keep what it was given in this "
                 "new folder, with the pipeline, versions and the trace; else "
                 "nothing is written")
      ->check(given);
  app.add_option("--capsule-at", options.capsule_at,
                 "keep this call whatever becomes of it: STAGE or STAGE:NUMBER")
      ->check(given);
  app.add_option("--replay", options.replay,
                 "run only the call that such a folder keeps; without FILE")
      ->check(given);
  app.add_option("--compare", options.compare,
                 "run every request in two ways and tell where they part, "
                 "stage by stage and layer by layer: A,B, each an engine or a "
                 "dtype of forward, a device, or stage.param=value;...")
      ->check(given);
  app.add_option("--tolerance", options.tolerance,
                 "how far apart, as a share of the number or of the tensor's "
                 "root mean square; by default as the dtypes round")
      ->check(CLI::Range(1e-300, 1e9));
}

void set_override(Options& options, const std::string& flag,
                  const std::string& key, const std::string& value) {
  if (!value.empty()) options.overrides.push_back({key, value, flag});
}

std::string not_text(const std::string& word) {
  return "'" + word + "' is not understood; for text use --text \"" + word +
         "\"";
}

/// --show STEP and --until STEP.STAGE look at one step.
void take_steps(Options& options, const Flags& flags) {
  const auto dot = flags.until.rfind('.');
  if (!flags.until.empty()) options.until = flags.until.substr(dot + 1);
  if (dot != std::string::npos) options.step = flags.until.substr(0, dot);
  if (flags.show_step.empty()) return;
  options.show = true;
  if (!options.step.empty() && options.step != flags.show_step) {
    throw Error(Code::kUsage, str("--show ", flags.show_step, " and --until ",
                                  flags.until, " are about two steps"));
  }
  options.step = flags.show_step;
}

/// A step's name may stand behind --show, once the file was named: it is no
/// file's name.
std::vector<std::string> with_steps(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  bool has_file = false;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& next = words[i + 1];
    has_file |= !words[i].empty() && words[i][0] != '-';
    const bool is_step = has_file && words[i] == "--show" && !next.empty() &&
                         next[0] != '-' &&
                         next.find_first_of("./") == std::string::npos &&
                         !std::filesystem::exists(next);
    if (is_step) words[i] = "--show-step";
  }
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  return words;
}

/// What a replay runs stands in its folder.
void check_replay(const Options& options, bool has_file) {
  if (!options.capsule_at.empty() && options.capsule.empty()) {
    throw Error(Code::kUsage, "--capsule-at needs the folder: --capsule DIR");
  }
  if (options.replay.empty() && !has_file) {
    throw Error(Code::kUsage, "FILE is required");
  }
  const bool has_more = has_file || !options.capsule.empty() ||
                        !options.dump.empty() || !options.until.empty() ||
                        options.show || options.json || options.chat;
  if (!options.replay.empty() && has_more) {
    throw Error(Code::kUsage,
                "--replay runs what its folder keeps; with it go --set, "
                "--device, --threads and --plugin-path");
  }
}

/// A comparison prints what it found, and nothing else.
void check_compare(const Options& options) {
  if (options.compare.empty() && options.tolerance > 0) {
    throw Error(Code::kUsage, "--tolerance is for --compare");
  }
  const bool has_more = !options.capsule.empty() || !options.dump.empty() ||
                        !options.until.empty() || !options.output.empty() ||
                        options.show || options.json || options.chat ||
                        !options.trace.empty() || !options.replay.empty();
  if (!options.compare.empty() && has_more) {
    throw Error(Code::kUsage,
                "--compare goes with inputs, --set, --device, --threads and "
                "--tolerance");
  }
}

/// Where results go, and in which form.
void check_output(Options& options) {
  if (!options.output.empty()) options.json = true;
  if (options.resume && options.output.empty()) {
    throw Error(Code::kUsage, "--resume needs the file: --output FILE");
  }
  if (!options.output.empty() && (options.chat || !options.until.empty())) {
    throw Error(Code::kUsage,
                "--output takes whole results; --chat and --until give none");
  }
  if (options.memory && !options.check) {
    throw Error(Code::kUsage, "--memory is told by --check: --check --memory");
  }
  if (!options.memory_limit.empty()) {
    (void)penstock::run::parse_size(options.memory_limit);
  }
  if (options.show && options.json) {
    throw Error(Code::kUsage, "--show and --json exclude each other");
  }
}

void take(Options& options, const Flags& flags) {
  check_compare(options);
  check_replay(options, flags.has_file);
  take_steps(options, flags);
  const int sources = static_cast<int>(!options.texts.empty()) +
                      static_cast<int>(options.use_stdin) +
                      static_cast<int>(!options.jsonl.empty()) +
                      static_cast<int>(!options.files.empty()) +
                      static_cast<int>(!options.named.empty()) +
                      static_cast<int>(options.chat);
  if (sources > 1) {
    throw Error(Code::kUsage,
                "--text, --input, --stdin, --jsonl, --chat and files exclude "
                "each other");
  }
  if (options.chat && (options.json || options.show || !options.until.empty() ||
                       !options.dump.empty())) {
    throw Error(Code::kUsage,
                "--chat prints answers only; for --json, --show, --until or "
                "--dump pass messages with --jsonl");
  }
  check_output(options);
  for (const std::string& each : flags.sets) {
    const auto parsed = penstock::parse_overrides(each, "--set");
    options.overrides.insert(options.overrides.end(), parsed.begin(),
                             parsed.end());
  }
  set_override(options, "--device", "device", flags.device);
  set_override(options, "--threads", "threads", flags.threads);
  set_override(options, "--seed", "decode.seed", flags.seed);
}

/// One line that says what to write instead.
Error usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto extra = app.remaining();
  if (extra.empty() || extra.front()[0] == '-') {
    return penstock::usage_error(app, error);
  }
  return {Code::kUsage, not_text(extra.front())};
}

int main_or_throw(int argc, char** argv) {
  CLI::App app("Runs a pipeline file.", "pipeline-run");
  Options options;
  Flags flags;
  app.footer(kFooter);
  app.set_version_flag("--version", "pipeline-run " PENSTOCK_SDK_VERSION);
  declare_inputs(app, options);
  declare_run(app, options, flags);
  declare_output(app, options, flags);
  declare_faults(app, options);
  try {
    app.parse(with_steps(argc, argv));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) throw usage_error(app, error);
    return app.exit(error);  // --help or --version
  }
  flags.has_file = app.count("FILE") > 0;
  take(options, flags);
  penstock::run::keep_stdout_for_results();
  return penstock::run::run(options);
}

}  // namespace

int main(int argc, char** argv) {
  penstock::open_standard_streams();
  penstock::report_crashes("pipeline-run");
  try {
    penstock::leave(main_or_throw(argc, argv));
  } catch (...) {
    penstock::leave(penstock::complain("pipeline-run"));
  }
}

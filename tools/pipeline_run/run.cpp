#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <utility>

#include "common/program.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/placement.h"
#include "penstock/plugin_host.h"
#include "penstock/runner.h"
#include "pipeline_run/capsule/capsule.h"
#include "pipeline_run/capsule/replay.h"
#include "pipeline_run/chat.h"
#include "pipeline_run/choose.h"
#include "pipeline_run/compare/compare.h"
#include "pipeline_run/exit_code.h"
#include "pipeline_run/input/files.h"
#include "pipeline_run/input/find_pipeline.h"
#include "pipeline_run/input/inputs.h"
#include "pipeline_run/inspect/preprocess_only.h"
#include "pipeline_run/inspect/watch.h"
#include "pipeline_run/memory/memory.h"
#include "pipeline_run/options.h"
#include "pipeline_run/output/printer.h"
#include "pipeline_run/output/progress.h"
#include "pipeline_run/output/result_file.h"
#include "pipeline_run/output/sound_output.h"
#include "pipeline_run/output/step_printer.h"
#include "pipeline_run/output/summary.h"
#include "pipeline_run/signals.h"
#include "pipeline_run/stalls.h"
#include "pipeline_run/submit.h"

namespace penstock::run {
namespace {

/// Names that have changed, and what plugins were up to.
void tell_notices(const CompositionFile& file, const PluginHost& plugins) {
  for (const StepConfig& step : file.steps) {
    for (const auto& notice : step.file.notices) {
      std::cerr << "pipeline-run: " << notice << "\n";
    }
  }
  warn("pipeline-run", plugins.warnings());
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw Error(Code::kRetry, str("cannot write '", path, "'"));
}

/// ", a row of 32768 tokens 118 MiB", where the model says so.
std::string row_memory(const Footprint& memory) {
  if (memory.context_length == 0 || memory.sequence_bytes == 0) return "";
  return str(", a row of ", memory.context_length, " tokens ",
             memory.sequence_bytes >> 20, " MiB");
}

/// Where its stages run, where a person could not know that.
std::string placement_text(const PipelineFile& file) {
  const Placement where = place(file);
  std::string out;
  if (where.devices.size() > 1) {
    out = str("  forward runs ", where.devices.size(),
              " times, and each input on one of them\n");
  }
  if (!where.why.empty()) {
    out += str("  device: auto took ", where.devices.front(), ": ", where.why,
               "\n");
  }
  for (const std::string& copy : where.copies) {
    out += str("  copies: ", copy, "\n");
  }
  return out;
}

/// "cpu; auto took it: no NVIDIA driver is here".
std::string device_text(const PipelineFile& file) {
  const Placement where = place(file);
  std::string out;
  for (const std::string& device : where.devices) {
    out += (out.empty() ? "" : ", ") + device;
  }
  return where.why.empty() ? out : out + "; auto took it: " + where.why;
}

int check(const Options& options, const CompositionFile& file) {
  const std::string path = file.path.string();
  for (const StepConfig& step : file.steps) {
    try {
      const PipelineCheck found = check_pipeline(step.file);
      std::cerr << (file.is_one() ? path : step.name) << ": ok; device "
                << found.device << ", weights " << (found.memory.bytes >> 20)
                << " MiB" << (file.is_one() ? row_memory(found.memory) : "")
                << "\n"
                << placement_text(step.file);
    } catch (Error& error) {
      throw file.is_one() ? error : error.in(Place::step(step.name));
    }
  }
  if (!file.is_one()) std::cerr << path << ": ok\n";
  if (!options.memory) {
    if (!options.memory_limit.empty()) check_memory(options, file);
    return 0;
  }
  Output output;
  print_memory(options, file, output);
  return exit_code(output, 0);
}

/// `code`, unless looking at the run was in vain.
int exit_code(const Watch& watch, int code) {
  const auto error = watch.error();
  return error ? complain(*error) : code;
}

int print_explained(const CompositionFile& file) {
  Output output;
  for (const StepConfig& step : file.steps) {
    const std::string text = explain(step.file);
    output.write(file.is_one() ? text
                               : "# step " + step.name + "\n" + text + "\n");
  }
  return exit_code(output, 0);
}

/// Whether a result goes on from its prompt: one Decode makes tokens.
bool continues(const CompositionFile& file) {
  const auto& made = file.steps.front().file.decode.spec->outputs;
  return file.is_one() &&
         std::any_of(made.begin(), made.end(),
                     [](const Port& port) { return port.name == "tokens"; });
}

Format format_of(const Options& options, const CompositionFile& file) {
  const StageKind last = last_stage(options);
  if (last < StageKind::kDecode) return Format::kNone;
  if (gives_sound(options, file)) return Format::kSound;
  if (options.json) return Format::kJson;
  if (options.show) return Format::kShow;
  return isatty(results_descriptor()) == 1 ? Format::kTerminal : Format::kText;
}

/// Finds out before hours of work, not after.
void check_writable(const std::string& path) {
  if (path.empty() || std::ofstream(path, std::ios::app)) return;
  throw Error(Code::kRetry, str("cannot write '", path, "'"));
}

PipelineOptions pipeline_options(const Options& options, Watch& watch,
                                 Capsule* capsule, const Signals& signals) {
  PipelineOptions chosen;
  // A step whose input other steps make is run to see its preprocess.
  chosen.until = std::max(last_stage(options), StageKind::kBatch);
  chosen.trace = !options.trace.empty() || capsule != nullptr;
  chosen.call_watcher = capsule;
  report_stalls(options, signals, chosen);
  if (watch.is_needed()) {
    chosen.observer = &watch;
    chosen.preprocess_workers = 1;  // shown in order
  }
  return chosen;
}

void print_stats(const Options& options, const Runner& runner,
                 const Printer& printer, bool is_terminal) {
  if (!options.summary && (!is_terminal || options.quiet)) return;
  for (auto [step, stats] : runner.stats()) {
    if (step.empty()) {
      stats.requests += printer.refused();
      stats.failed += printer.refused();
    } else {
      std::cerr << step << (options.summary ? "\n" : ": ");
    }
    std::cerr << (options.summary ? table(stats) : brief(stats));
  }
  if (!options.summary) return;
  for (const StepConfig& step : runner.file().steps) {
    std::cerr << str(step.name, step.name.empty() ? "" : ": ", "device ",
                     device_text(step.file), "\n");
  }
  std::cerr << str("memory at most ", peak_memory() >> 20, " MiB\n");
}

/// Everything of a run that has a pipeline to run, in the order of its life.
class Run {
 public:
  Run(const Options& options, CompositionFile file, Output& output,
      const std::optional<ResultFile>& results, Watch& watch, Capsule* capsule,
      Signals& signals)
      : options_(options),
        output_(output),
        results_(results),
        watch_(watch),
        signals_(signals),
        inputs_(open(file)),
        progress_(is_terminal_ && !options.quiet && is_many(), inputs_.count),
        format_(checked_format(file)),
        length_(output.descriptor()),
        printer_(output, format_, progress_),
        capsule_(capsule),
        runner_(std::move(file),
                pipeline_options(options, watch, capsule, signals)) {
    set_up_printer();
    if (capsule_ == nullptr) return;
    capsule_->on_trace([this] { return runner_.trace_json(); });
  }
  ~Run() {
    if (capsule_ != nullptr) capsule_->on_trace(nullptr);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  int operator()() {
    const auto quit = [&] {
      stop_.request();
      runner_.cancel_all();
    };
    output_.on_lost(quit);
    watch_.on_lost(quit);
    signals_.on_stop(quit);
    if (options_.chat) {
      chat_error_ = chat(runner_, output_, signals_, stop_, options_.timeout_s);
    } else {
      submit_all(
          options_, runner_, [this](auto sink) { return wrapped(sink); },
          printer_, inputs_, stop_);
    }
    return finish();
  }

 private:
  Inputs open(const CompositionFile& file) {
    Inputs inputs;
    if (options_.chat) {
      check_chat(file);
    } else {
      inputs = open_inputs(options_, file, stop_);
      if (results_) results_->skip_done(inputs);
    }
    check_writable(options_.trace);
    return inputs;
  }

  [[nodiscard]] Format checked_format(const CompositionFile& file) const {
    const Format format = format_of(options_, file);
    if (format == Format::kSound && inputs_.count.value_or(1) > 1) {
      throw Error(Code::kUsage,
                  str(*inputs_.count,
                      " recordings cannot go into one stream; name a folder "
                      "for the files: --render FOLDER"));
    }
    return format;
  }

  /// Streamed text is its own progress; many results are not.
  [[nodiscard]] bool is_many() const {
    return !inputs_.count || *inputs_.count > 1;
  }

  void set_up_printer() {
    if (format_ == Format::kSound) printer_.measure(length_);
    if (is_many()) printer_.name_files();
    if (results_) printer_.end_at_cancelled();
    if (!options_.until.empty()) printer_.name_stage(options_.until);
    if (!continues(runner_.file())) printer_.part_prompts();
    const bool is_one = runner_.file().is_one();
    printer_.set_facts(
        {.dtype = is_one ? get_or(runner_.facts(), kDtype, "") : "",
         .device = runner_.device(),
         .device_why = is_one && format_ == Format::kJson
                           ? place(runner_.file().steps.front().file).why
                           : ""});
  }

  [[nodiscard]] std::shared_ptr<ResultSink> wrapped(
      std::shared_ptr<ResultSink> sink) const {
    if (!runner_.file().is_one()) {
      const StepStyle style{
          .is_json = options_.json,
          .drawings = options_.render,
          .only = options_.until.empty() ? "" : options_.step};
      sink =
          std::make_shared<StepPrinter>(std::move(sink), runner_.file(), style);
    }
    return watch_.watched(std::move(sink));
  }

  int finish() {
    std::optional<Error> unheard;
    try {
      runner_.drain();
    } catch (const Error& error) {
      unheard = error;
    }
    progress_.clear();
    if (format_ == Format::kSound) length_.correct();
    signals_.on_stop(nullptr);
    if (results_) results_->sync();
    if (!options_.trace.empty()) {
      write_file(options_.trace, runner_.trace_json());
    }
    print_stats(options_, runner_, printer_, is_terminal_);
    if (unheard) return complain(*unheard);
    if (chat_error_ && signals_.exit_code() == 0) {
      return exit_code(output_, static_cast<int>(chat_error_->code()));
    }
    return exit_code(watch_, exit_code(options_, printer_, output_, signals_));
  }

  const Options& options_;
  Output& output_;
  const std::optional<ResultFile>& results_;
  Watch& watch_;
  Signals& signals_;
  const bool is_terminal_ = isatty(STDERR_FILENO) == 1;
  Stop stop_;
  Inputs inputs_;
  Progress progress_;
  Format format_;
  WavLength length_;
  Printer printer_;
  Capsule* capsule_;
  Runner runner_;  ///< last: it ends before what its sinks write to
  std::optional<Error> chat_error_;
};

}  // namespace

int run(const Options& options) {
  Signals signals;
  PluginHost plugins(plugin_search_path(options.plugin_path));
  if (!options.replay.empty()) return replay_capsule(options, plugins);
  if (!options.compare.empty()) return compare_runs(options, plugins);
  CompositionFile file = load_named(options.file, plugins, options.overrides);
  tell_notices(file, plugins);
  choose_steps(options, file);
  ask_stages(options, file);
  set_threads(static_cast<int>(
      std::get<std::int64_t>(file.steps.front().file.threads.value)));
  if (options.explain) return print_explained(file);
  if (options.check) return check(options, file);
  check_memory(options, file);
  std::optional<ResultFile> results;
  if (!options.output.empty()) results.emplace(options.output, options.resume);
  Output output(results ? results->descriptor() : results_descriptor());
  Watch watch(options, file, output);
  if (file.is_one() && last_stage(options) == StageKind::kPreprocess) {
    PipelineFile& alone = file.steps.front().file;
    const int code = preprocess_only(options, std::move(alone), output, watch);
    return exit_code(watch, exit_code(output, code));
  }
  std::optional<Capsule> capsule;
  if (!options.capsule.empty()) {
    capsule.emplace(options.capsule, options.capsule_at, file, plugins);
  }
  Capsule* const kept = capsule ? &*capsule : nullptr;
  std::optional<Run> work;
  try {
    work.emplace(options, std::move(file), output, results, watch, kept,
                 signals);
  } catch (const Error& error) {
    if (kept != nullptr) kept->keep(error);
    throw;
  }
  return (*work)();
}

}  // namespace penstock::run

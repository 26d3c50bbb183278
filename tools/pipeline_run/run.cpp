#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <utility>

#include "common/program.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/pipeline.h"
#include "penstock/plugin_host.h"
#include "pipeline_run/chat.h"
#include "pipeline_run/exit_code.h"
#include "pipeline_run/input/files.h"
#include "pipeline_run/input/find_pipeline.h"
#include "pipeline_run/input/inputs.h"
#include "pipeline_run/inspect/preprocess_only.h"
#include "pipeline_run/inspect/watch.h"
#include "pipeline_run/options.h"
#include "pipeline_run/output/printer.h"
#include "pipeline_run/output/progress.h"
#include "pipeline_run/output/result_file.h"
#include "pipeline_run/output/summary.h"
#include "pipeline_run/run_steps.h"
#include "pipeline_run/signals.h"
#include "pipeline_run/submit.h"

namespace penstock::run {
namespace {

/// --show and --dump turn on what stages can tell about themselves, where they
/// can, and --render what they can draw.
PipelineFile load(const Options& options, const std::filesystem::path& path,
                  PluginHost& plugins) {
  auto overrides = overrides_from_environment();
  overrides.insert(overrides.end(), options.overrides.begin(),
                   options.overrides.end());
  PipelineFile file = load_pipeline_file(path, plugins, overrides);
  for (const auto& notice : file.notices) {
    std::cerr << "pipeline-run: " << notice << "\n";
  }
  std::vector<Override> more;
  if (!options.render.empty()) {
    const ParamSpec* folder =
        file.postprocess.spec->params.find(Ability::kDraws);
    if (folder == nullptr) {
      throw Error(Code::kUsage, str("--render: ", file.postprocess.spec->name,
                                    " draws nothing"));
    }
    more.push_back({"postprocess." + folder->name, options.render, "--render"});
  }
  const bool is_told = options.show || !options.dump.empty() ||
                       options.until == to_string(StageKind::kPreprocess);
  if (!is_told && more.empty()) return file;
  for (std::size_t i = 0; is_told && i < file.preprocess.size(); ++i) {
    const ParamSchema& params = file.preprocess[i].spec->params;
    if (const ParamSpec* tells = params.find(Ability::kShows)) {
      more.push_back(
          {str("preprocess.", i, ".", tells->name), "true", "pipeline-run"});
    }
  }
  // Of Forward with --show alone: what it makes then costs time and memory.
  const ParamSpec* tells = file.forward.spec->params.find(Ability::kShows);
  if (options.show && tells != nullptr) {
    more.push_back({"forward." + tells->name, "true", "--show"});
  }
  overrides.insert(overrides.end(), more.begin(), more.end());
  return load_pipeline_file(path, plugins, overrides);
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

int check(const PipelineFile& file) {
  const PipelineCheck found = check_pipeline(file);
  std::cerr << file.path.string() << ": ok; device " << found.device
            << ", weights " << (found.memory.bytes >> 20) << " MiB"
            << row_memory(found.memory) << "\n";
  return 0;
}

/// `code`, unless looking at the run was in vain.
int exit_code(const Watch& watch, int code) {
  const auto error = watch.error();
  return error ? complain(*error) : code;
}

int print(const std::string& text) {
  Output output;
  output.write(text);
  return exit_code(output, 0);
}

/// Whether a result goes on from its prompt: Decode makes tokens.
bool continues(const PipelineFile& file) {
  const auto& made = file.decode.spec->outputs;
  return std::any_of(made.begin(), made.end(),
                     [](const Port& port) { return port.name == "tokens"; });
}

Format format_of(const Options& options) {
  const StageKind last = last_stage(options);
  if (last == StageKind::kBatch || last == StageKind::kForward) {
    return Format::kNone;
  }
  if (options.json) return Format::kJson;
  if (options.show) return Format::kShow;
  return isatty(STDOUT_FILENO) == 1 ? Format::kTerminal : Format::kText;
}

/// Finds out before hours of work, not after.
void check_writable(const std::string& path) {
  if (path.empty() || std::ofstream(path, std::ios::app)) return;
  throw Error(Code::kRetry, str("cannot write '", path, "'"));
}

}  // namespace

int run(const Options& options) {
  Signals signals;
  PluginHost plugins(plugin_search_path(options.plugin_path));
  const auto path = find_pipeline(options.file);
  if (has_steps(path)) return run_steps(options, path, plugins, signals);
  PipelineFile file = load(options, path, plugins);
  warn("pipeline-run", plugins.warnings());
  set_threads(static_cast<int>(std::get<std::int64_t>(file.threads.value)));
  if (options.explain) return print(explain(file));
  if (options.check) return check(file);
  std::optional<ResultFile> results;
  if (!options.output.empty()) results.emplace(options.output, options.resume);
  Output output(results ? results->descriptor() : STDOUT_FILENO);
  Watch watch(options, file, output);
  if (last_stage(options) == StageKind::kPreprocess) {
    const int code = preprocess_only(options, std::move(file), output, watch);
    return exit_code(watch, exit_code(output, code));
  }

  Stop stop;
  Inputs inputs;
  if (options.chat) {
    check_chat(file);
  } else {
    inputs = open_inputs(options, file, stop);
    if (results) results->skip_done(inputs);
  }
  check_writable(options.trace);
  PipelineOptions chosen;
  chosen.until = last_stage(options);
  chosen.trace = !options.trace.empty();
  if (watch.is_needed()) {
    chosen.observer = &watch;
    chosen.preprocess_workers = 1;  // shown in order
  }
  Pipeline pipeline(std::move(file), chosen);

  const auto quit = [&] {
    stop.request();
    pipeline.cancel_all();
  };
  output.on_lost(quit);
  watch.on_lost(quit);
  signals.on_stop(quit);
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  // Streamed text is its own progress; many results are not.
  const bool is_many = !inputs.count || *inputs.count > 1;
  Progress progress(is_terminal && !options.quiet && is_many, inputs.count);
  Printer printer(output, format_of(options), progress);
  if (is_many) printer.name_files();
  if (results) printer.end_at_cancelled();
  if (!options.until.empty()) printer.name_stage(options.until);
  if (!continues(pipeline.file())) printer.part_prompts();
  printer.set_facts({.dtype = get_or(pipeline.facts(), kDtype, ""),
                     .device = pipeline.device()});
  std::optional<Error> chat_error;
  if (options.chat) {
    chat_error = chat(pipeline, output, signals, stop, options.timeout_s);
  } else {
    const Target target{
        .check = [&](const Request& request) { pipeline.check(request); },
        .submit =
            [&](Request request, const std::shared_ptr<ResultSink>& sink) {
              return pipeline.submit(std::move(request), watch.watched(sink));
            },
        .more_coming = [&] { return pipeline.more_coming(); }};
    submit_all(options, target, printer, inputs, stop);
  }
  pipeline.drain();
  progress.clear();
  signals.on_stop(nullptr);
  if (results) results->sync();

  if (!options.trace.empty()) {
    write_file(options.trace, pipeline.trace_json());
  }
  Stats stats = pipeline.stats();
  stats.requests += printer.refused();
  stats.failed += printer.refused();
  if (options.summary) {
    std::cerr << table(stats);
  } else if (is_terminal && !options.quiet) {
    std::cerr << brief(stats);
  }
  if (chat_error && signals.exit_code() == 0) {
    return exit_code(output, static_cast<int>(chat_error->code()));
  }
  return exit_code(watch, exit_code(options, printer, output, signals));
}

}  // namespace penstock::run

#include "pipeline_run/run_steps.h"

#include <unistd.h>

#include <array>
#include <iostream>
#include <utility>

#include "penstock/composition.h"
#include "penstock/parallel.h"
#include "pipeline_run/exit_code.h"
#include "pipeline_run/input/files.h"
#include "pipeline_run/input/find_pipeline.h"
#include "pipeline_run/output/progress.h"
#include "pipeline_run/output/result_file.h"
#include "pipeline_run/output/step_printer.h"
#include "pipeline_run/output/summary.h"
#include "pipeline_run/submit.h"

namespace penstock::run {
namespace {

/// What looks into one pipeline is asked of that pipeline.
void refuse_flags(const Options& options) {
  const std::array<std::pair<bool, const char*>, 5> flags{
      {{options.chat, "--chat"},
       {options.show, "--show"},
       {!options.until.empty(), "--until"},
       {!options.dump.empty(), "--dump"},
       {!options.trace.empty(), "--trace"}}};
  for (const auto& [is_given, flag] : flags) {
    if (!is_given) continue;
    throw Error(Code::kUsage, str(flag,
                                  " looks into one pipeline; run the "
                                  "file of the step it is about"));
  }
}

/// A name beside the composition, or one that came along.
std::filesystem::path find_step(const std::string& name,
                                const std::filesystem::path& folder) {
  const auto beside = folder / name;
  return std::filesystem::exists(beside) ? beside : find_pipeline(name);
}

CompositionFile load(const Options& options, const std::filesystem::path& path,
                     PluginHost& plugins) {
  auto overrides = overrides_from_environment();
  overrides.insert(overrides.end(), options.overrides.begin(),
                   options.overrides.end());
  CompositionFile file =
      load_composition_file(path, plugins, overrides, find_step);
  if (options.render.empty()) return file;
  bool draws = false;
  for (const StepConfig& step : file.steps) {
    const ParamSpec* folder =
        step.file.postprocess.spec->params.find(Ability::kDraws);
    if (folder == nullptr) continue;
    overrides.push_back({step.name + ".postprocess." + folder->name,
                         options.render + "/" + step.name, "--render"});
    draws = true;
  }
  if (!draws) throw Error(Code::kUsage, "--render: no step draws anything");
  return load_composition_file(path, plugins, overrides, find_step);
}

int explain_steps(const CompositionFile& file) {
  Output output;
  for (const StepConfig& step : file.steps) {
    output.write("# step " + step.name + "\n" + explain(step.file) + "\n");
  }
  return exit_code(output, 0);
}

int check_steps(const CompositionFile& file) {
  for (const StepConfig& step : file.steps) {
    try {
      const PipelineCheck found = check_pipeline(step.file);
      std::cerr << step.name << ": ok; device " << found.device << ", weights "
                << (found.memory.bytes >> 20) << " MiB\n";
    } catch (Error& error) {
      throw error.in(Place::step(step.name));
    }
  }
  std::cerr << file.path.string() << ": ok\n";
  return 0;
}

int threads_of(const CompositionFile& file) {
  return static_cast<int>(
      std::get<std::int64_t>(file.steps.front().file.threads.value));
}

void print_stats(const Composition& composition, bool as_table) {
  for (const auto& [step, stats] : composition.stats()) {
    std::cerr << step << (as_table ? "\n" : ": ")
              << (as_table ? table(stats) : brief(stats));
  }
}

}  // namespace

int run_steps(const Options& options, const std::filesystem::path& path,
              PluginHost& plugins, Signals& signals) {
  refuse_flags(options);
  CompositionFile file = load(options, path, plugins);
  warn("pipeline-run", plugins.warnings());
  set_threads(threads_of(file));
  if (options.explain) return explain_steps(file);
  if (options.check) return check_steps(file);
  std::optional<ResultFile> results;
  if (!options.output.empty()) results.emplace(options.output, options.resume);
  Output output(results ? results->descriptor() : STDOUT_FILENO);
  Stop stop;
  Inputs inputs = open_inputs(options, media_ports(file), file.inputs, stop);
  if (results) results->skip_done(inputs);
  Composition composition(std::move(file));

  const auto quit = [&] {
    stop.request();
    composition.cancel_all();
  };
  output.on_lost(quit);
  signals.on_stop(quit);
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  const bool is_many = !inputs.count || *inputs.count > 1;
  Progress progress(is_terminal && !options.quiet && is_many, inputs.count);
  const Format text =
      isatty(STDOUT_FILENO) == 1 ? Format::kTerminal : Format::kText;
  Printer printer(output, options.json ? Format::kJson : text, progress);
  if (is_many) printer.name_files();
  if (results) printer.end_at_cancelled();
  printer.part_prompts();
  printer.set_facts({.dtype = "", .device = composition.device()});
  const std::string last = composition.file().steps.back().name;
  const Target target{
      .check = [&](const Request& request) { composition.check(request); },
      .submit =
          [&](Request request, std::shared_ptr<ResultSink> sink) {
            return composition.submit(
                std::move(request),
                std::make_shared<StepPrinter>(std::move(sink), options.json,
                                              last, options.render));
          },
      .more_coming = [&] { return composition.more_coming(); }};
  submit_all(options, target, printer, inputs, stop);
  composition.drain();
  progress.clear();
  signals.on_stop(nullptr);
  if (results) results->sync();
  if (options.summary || (is_terminal && !options.quiet)) {
    print_stats(composition, options.summary);
  }
  return exit_code(options, printer, output, signals);
}

}  // namespace penstock::run

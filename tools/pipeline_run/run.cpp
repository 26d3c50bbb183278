#include <unistd.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "find_pipeline.h"
#include "inputs.h"
#include "options.h"
#include "penstock/parallel.h"
#include "penstock/pipeline.h"
#include "penstock/plugin_host.h"
#include "printer.h"
#include "program.h"
#include "show.h"
#include "signals.h"
#include "summary.h"

namespace penstock::run {
namespace {

/// --show turns on what stages can tell about themselves, where they can.
PipelineFile load(const Options& options, PluginHost& plugins) {
  const auto path = find_pipeline(options.file);
  auto overrides = overrides_from_environment();
  overrides.insert(overrides.end(), options.overrides.begin(),
                   options.overrides.end());
  PipelineFile file = load_pipeline_file(path, plugins, overrides);
  if (!options.show) return file;
  std::vector<Override> more;
  if (file.preprocess.size() == 1 &&
      file.preprocess[0].spec->params.find("pieces") != nullptr) {
    more.push_back({"preprocess.pieces", "true", "--show"});
  }
  if (file.forward.spec->params.find("logits") != nullptr) {
    more.push_back({"forward.logits", "true", "--show"});
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

int check(const PipelineFile& file) {
  const PipelineCheck found = check_pipeline(file);
  std::cerr << file.path.string() << ": ok; device " << found.device
            << ", weights " << (found.memory >> 20) << " MiB\n";
  return 0;
}

/// Prints `id, input_ids` a line, or the tensors' shapes.
int preprocess_only(const Options& options, PipelineFile file) {
  Output output;
  std::optional<Error> first;
  const Inputs inputs = open_inputs(options, file);
  PreprocessOnly pipeline(std::move(file));
  while (auto input = inputs()) {
    const std::string id = input->request.id;
    try {
      if (input->error) throw Error(*input->error);
      for (const Sample& sample : pipeline.run(std::move(input->request))) {
        nlohmann::ordered_json line;
        line["id"] = id;
        line["input_ids"] = sample.tokens;
        for (const auto& [name, tensor] : sample.inputs) {
          line["inputs"][name] = shape_text(tensor);
        }
        output.write(line.dump() + "\n");
      }
    } catch (const Error& error) {
      std::cerr << "pipeline-run: request '" << id << "': " << error.what()
                << "\n";
      if (!first) first = error;
    }
    if (output.is_closed()) return 0;
  }
  return first ? static_cast<int>(first->code()) : 0;
}

Format format_of(const Options& options) {
  if (options.json) return Format::kJson;
  if (options.show) return Format::kShow;
  return isatty(STDOUT_FILENO) == 1 ? Format::kTerminal : Format::kText;
}

void submit_all(const Options& options, Pipeline& pipeline, Printer& printer,
                const Inputs& inputs, const std::atomic<bool>& is_stopping) {
  const auto more = pipeline.more_coming();
  while (!is_stopping) {
    auto input = inputs();
    if (!input) return;
    Request& request = input->request;
    if (options.timeout_s > 0 && !request.deadline) {
      request.deadline =
          Clock::now() + std::chrono::duration_cast<Clock::duration>(
                             std::chrono::duration<double>(options.timeout_s));
    }
    try {
      if (input->error) throw Error(*input->error);
      pipeline.check(request);
    } catch (const Error& error) {
      printer.refuse(request, error);
      continue;
    }
    const auto sink = printer.next(request);
    pipeline.submit(std::move(request), sink);
  }
}

std::string fact(const Notes& facts, const std::string& name) {
  const auto found = facts.find(name);
  if (found == facts.end()) return "";
  const auto* text = std::get_if<std::string>(&found->second);
  return text == nullptr ? "" : *text;
}

int exit_code(const Options& options, const Printer& printer,
              const Output& output, const Signals& signals) {
  if (signals.exit_code() != 0) return signals.exit_code();
  if (output.is_closed()) return 0;
  if (const auto error = printer.output_error()) {
    std::cerr << "pipeline-run: " << error->what() << "\n";
    return static_cast<int>(error->code());
  }
  if (const auto error = printer.first_error()) {
    // Of many lines some failed: the data was at fault, whatever the reason.
    return static_cast<int>(options.jsonl.empty() ? error->code()
                                                  : Code::kData);
  }
  return 0;
}

}  // namespace

int run(const Options& options) {
  Signals signals;
  PluginHost plugins(plugin_search_path(options.plugin_path));
  PipelineFile file = load(options, plugins);
  set_threads(static_cast<int>(std::get<std::int64_t>(file.threads.value)));
  if (options.explain) {
    Output().write(explain(file));
    return 0;
  }
  if (options.check) return check(file);
  if (!options.until.empty()) {
    return preprocess_only(options, std::move(file));
  }

  const Inputs inputs = open_inputs(options, file);
  Output output;
  Show show(output);
  PipelineOptions chosen;
  chosen.trace = !options.trace.empty();
  if (options.show) chosen.observer = &show;
  Pipeline pipeline(std::move(file), chosen);

  std::atomic<bool> is_stopping{false};
  const auto stop = [&] {
    is_stopping = true;
    pipeline.cancel_all();
  };
  Printer printer(output, format_of(options), stop);
  printer.set_facts(fact(pipeline.facts(), "dtype"), pipeline.device());
  signals.on_stop(stop);
  submit_all(options, pipeline, printer, inputs, is_stopping);
  pipeline.drain();
  signals.on_stop(nullptr);

  if (!options.trace.empty()) {
    write_file(options.trace, pipeline.trace_json());
  }
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  if (options.summary) {
    std::cerr << table(pipeline.stats());
  } else if (is_terminal && !options.quiet) {
    std::cerr << brief(pipeline.stats());
  }
  return exit_code(options, printer, output, signals);
}

}  // namespace penstock::run

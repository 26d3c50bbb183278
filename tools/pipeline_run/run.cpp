#include <unistd.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "chat.h"
#include "find_pipeline.h"
#include "inputs.h"
#include "options.h"
#include "penstock/parallel.h"
#include "penstock/pipeline.h"
#include "penstock/plugin_host.h"
#include "printer.h"
#include "program.h"
#include "progress.h"
#include "show.h"
#include "signals.h"
#include "summary.h"

namespace penstock::run {
namespace {

/// --show turns on what stages can tell about themselves, where they can, and
/// --render what they can draw.
PipelineFile load(const Options& options, PluginHost& plugins) {
  const auto path = find_pipeline(options.file);
  auto overrides = overrides_from_environment();
  overrides.insert(overrides.end(), options.overrides.begin(),
                   options.overrides.end());
  PipelineFile file = load_pipeline_file(path, plugins, overrides);
  std::vector<Override> more;
  if (!options.render.empty()) {
    if (file.postprocess.spec->params.find("render") == nullptr) {
      throw Error(Code::kUsage, str("--render: ", file.postprocess.spec->name,
                                    " draws nothing"));
    }
    more.push_back({"postprocess.render", options.render, "--render"});
  }
  if (!options.show && more.empty()) return file;
  if (options.show && file.preprocess.size() == 1 &&
      file.preprocess[0].spec->params.find("pieces") != nullptr) {
    more.push_back({"preprocess.pieces", "true", "--show"});
  }
  if (options.show && file.forward.spec->params.find("logits") != nullptr) {
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

/// ", a row of 32768 tokens 118 MiB", where the model says so.
std::string row_memory(const Notes& facts) {
  const auto length = facts.find("context_length");
  const auto bytes = facts.find("row_bytes");
  if (length == facts.end() || bytes == facts.end()) return "";
  return str(", a row of ", std::get<std::int64_t>(length->second), " tokens ",
             std::get<std::int64_t>(bytes->second) >> 20, " MiB");
}

int check(const PipelineFile& file) {
  const PipelineCheck found = check_pipeline(file);
  std::cerr << file.path.string() << ": ok; device " << found.device
            << ", weights " << (found.memory >> 20) << " MiB"
            << row_memory(found.facts) << "\n";
  return 0;
}

int complain(const Error& error) {
  std::cerr << "pipeline-run: " << error.what() << "\n";
  return static_cast<int>(error.code());
}

/// `code`, unless nobody read the results or they found no room.
int exit_code(const Output& output, int code) {
  if (output.is_closed()) return 0;
  const auto error = output.error();
  return error ? complain(*error) : code;
}

int print(const std::string& text) {
  Output output;
  output.write(text);
  return exit_code(output, 0);
}

/// `id, input_ids` and the other tensors' shapes.
std::string sample_line(const std::string& id, const Sample& sample) {
  nlohmann::ordered_json line;
  line["id"] = id;
  line["input_ids"] = sample.tokens;
  for (const auto& [name, tensor] : sample.inputs) {
    line["inputs"][name] = shape_text(tensor);
  }
  return line.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

int preprocess_only(const Options& options, PipelineFile file) {
  Output output;
  const Stop stop;  // a signal ends the process at once
  int code = 0;
  const Inputs inputs = open_inputs(options, file, stop);
  PreprocessOnly pipeline(std::move(file));
  while (auto input = inputs.next()) {
    const std::string id = input->request.id;
    try {
      if (input->error) throw Error(*input->error).in(input->place);
      for (const Sample& sample : pipeline.run(std::move(input->request))) {
        output.write(sample_line(id, sample));
      }
    } catch (const Error& error) {
      std::cerr << "pipeline-run: request '" << id << "': " << error.what()
                << "\n";
      if (code == 0) code = static_cast<int>(error.code());
    }
    if (output.is_closed() || output.error()) break;
  }
  return exit_code(output, code);
}

Format format_of(const Options& options) {
  if (options.json) return Format::kJson;
  if (options.show) return Format::kShow;
  return isatty(STDOUT_FILENO) == 1 ? Format::kTerminal : Format::kText;
}

void submit(const Options& options, Pipeline& pipeline, Printer& printer,
            Input input, const Stop& stop) {
  Request& request = input.request;
  if (options.timeout_s > 0 && !request.deadline) {
    request.deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(options.timeout_s));
  }
  try {
    if (input.error) throw Error(*input.error);
    pipeline.check(request);
  } catch (Error& error) {
    printer.refuse(request,
                   input.place.empty() ? error : error.in(input.place));
    return;
  }
  const auto sink = printer.next(request);
  std::stop_source source = pipeline.submit(std::move(request), sink);
  // It may have waited for room while the others were cancelled.
  if (stop.is_requested()) source.request_stop();
}

void submit_all(const Options& options, Pipeline& pipeline, Printer& printer,
                const Inputs& inputs, const Stop& stop) {
  const auto more = pipeline.more_coming();
  while (!stop.is_requested()) {
    auto input = inputs.next();
    if (!input || stop.is_requested()) return;
    submit(options, pipeline, printer, std::move(*input), stop);
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
  const auto error = printer.first_error();
  if (!error) return exit_code(output, 0);
  // Of many lines some failed: the data was at fault, whatever the reason.
  return exit_code(
      output, static_cast<int>(options.jsonl.empty() && options.files.size() < 2
                                   ? error->code()
                                   : Code::kData));
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
  PipelineFile file = load(options, plugins);
  set_threads(static_cast<int>(std::get<std::int64_t>(file.threads.value)));
  if (options.explain) return print(explain(file));
  if (options.check) return check(file);
  if (!options.until.empty()) {
    return preprocess_only(options, std::move(file));
  }

  Stop stop;
  Inputs inputs;
  if (options.chat) {
    check_chat(file);
  } else {
    inputs = open_inputs(options, file, stop);
  }
  check_writable(options.trace);
  Output output;
  Show show(output);
  PipelineOptions chosen;
  chosen.trace = !options.trace.empty();
  if (options.show) {
    chosen.observer = &show;
    chosen.preprocess_workers = 1;  // shown in order
  }
  Pipeline pipeline(std::move(file), chosen);

  const auto quit = [&] {
    stop.request();
    pipeline.cancel_all();
  };
  output.on_lost(quit);
  signals.on_stop(quit);
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  // Streamed text is its own progress; many results are not.
  const bool is_many = !inputs.count || *inputs.count > 1;
  Progress progress(is_terminal && !options.quiet && is_many, inputs.count);
  Printer printer(output, format_of(options), progress);
  if (is_many) printer.name_files();
  printer.set_facts(
      {.dtype = fact(pipeline.facts(), "dtype"), .device = pipeline.device()});
  std::optional<Error> chat_error;
  if (options.chat) {
    chat_error = chat(pipeline, output, signals, stop, options.timeout_s);
  } else {
    submit_all(options, pipeline, printer, inputs, stop);
  }
  pipeline.drain();
  progress.clear();
  signals.on_stop(nullptr);

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
  return exit_code(options, printer, output, signals);
}

}  // namespace penstock::run

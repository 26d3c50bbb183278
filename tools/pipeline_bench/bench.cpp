#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

#include "common/program.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/plugin_host.h"
#include "penstock/runner.h"
#include "pipeline_bench/options.h"
#include "pipeline_bench/report.h"
#include "pipeline_run/input/files.h"
#include "pipeline_run/input/find_pipeline.h"
#include "pipeline_run/input/inputs.h"
#include "pipeline_run/input/stop.h"

namespace penstock::bench {
namespace {

bool has(const StageConfig& stage, const std::string& param) {
  return stage.spec->params.find(param) != nullptr;
}

void say(const Options& options, const std::string& text) {
  if (!options.quiet) std::cerr << text << "\n";
}

/// The number after "NAME:" in a file of /proc, or the text of it.
std::string proc_line(const char* path, const std::string& name) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name)) continue;
    const auto at = line.find_first_not_of(" \t", line.find(':') + 1);
    return at == std::string::npos ? "" : line.substr(at);
  }
  return "";
}

/// The most memory the process held since forget_peak(), in MiB.
double peak_mib() {
  std::istringstream line(proc_line("/proc/self/status", "VmHWM"));
  double kib = 0;
  line >> kib;
  return kib / 1024;
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

/// Text as long as wanted, the same number of new tokens each time.
void set_lengths(const Options& options, const PipelineFile& file,
                 std::vector<Request>& requests) {
  const StageConfig& pre = file.preprocess.front();
  const auto number = [](std::int64_t value) {
    return Raw(RawScalar{.text = std::to_string(value), .quoted = false});
  };
  const auto word = [](const char* text) {
    return Raw(RawScalar{.text = text, .quoted = false});
  };
  for (Request& request : requests) {
    auto* text = request.inputs.contains("text")
                     ? std::get_if<std::string>(&request.inputs["text"])
                     : nullptr;
    if (text != nullptr && !text->empty() && has(pre, "max_tokens")) {
      // A token is seldom longer than eight bytes.
      const auto bytes = static_cast<std::size_t>(options.prompt_tokens) * 8;
      const std::string once = *text + " ";
      while (text->size() < bytes) *text += once;
      request.options["preprocess.max_tokens"] = number(options.prompt_tokens);
      request.options["preprocess.truncate"] = word("right");
    }
    if (has(file.decode, "max_new_tokens")) {
      request.options["decode.max_new_tokens"] = number(options.new_tokens);
    }
    if (has(file.decode, "ignore_eos")) {
      request.options["decode.ignore_eos"] = word("true");
    }
  }
}

std::vector<Request> requests_of(const Options& options,
                                 const PipelineFile& file) {
  run::Options asked;
  asked.files = options.files;
  const run::Stop stop;
  const run::Inputs inputs = run::open_inputs(asked, file, stop);
  std::vector<Request> all;
  while (auto input = inputs.next()) {
    if (input->error) throw Error(*input->error).in(Place::input(input->place));
    all.push_back(std::move(input->request));
  }
  if (all.empty()) {
    throw Error(Code::kUsage,
                "there is nothing to run: the pipeline file has no inputs and "
                "no file is named");
  }
  set_lengths(options, file, all);
  return all;
}

PipelineFile load(const Options& options, PluginHost& plugins,
                  const std::string& device) {
  auto overrides = options.overrides;
  if (!device.empty()) overrides.push_back({"device", device, "--device"});
  CompositionFile all = run::load_named(options.file, plugins, overrides);
  if (!all.is_one()) {
    throw Error(Code::kUsage, str("'", options.file,
                                  "' composes pipelines; measure the file of "
                                  "the step it is about"));
  }
  PipelineFile file = std::move(all.steps.front().file);
  if (!has(file.batch, "max_sequences")) return file;
  const int most =
      *std::max_element(options.batches.begin(), options.batches.end());
  override_params(file,
                  {{"batch.max_sequences", std::to_string(most), "--batch"}});
  return file;
}

DeviceResult measure_device(const Options& options, PipelineFile file,
                            const std::string& device) {
  DeviceResult out;
  out.device = device;
  forget_peak();
  const Plan plan{.requests = requests_of(options, file),
                  .runs = options.runs,
                  .warmup = options.warmup};
  PipelineOptions how;
  how.max_in_flight = 1 << 16;
  Runner runner(std::move(file), how);
  out.device = runner.device();
  out.dtype = get_or(runner.facts(), kDtype, "");
  out.open_s = runner.stats().front().second.open_s;
  for (const int batch : options.batches) {
    say(options, str(out.device, ": ", batch, " at a time"));
    out.batches.push_back(measure(runner, plan, batch));
  }
  out.peak_mib = peak_mib();
  return out;
}

void write(const std::string& path, const std::string& text) {
  if (path == "-") {
    std::cout << text;
    return;
  }
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw Error(Code::kRetry, str("cannot write '", path, "'"));
}

}  // namespace

int bench(const Options& options) {
  PluginHost plugins(plugin_search_path(options.plugin_path));
  Result result;
  result.runs = options.runs;
  result.processor = proc_line("/proc/cpuinfo", "model name");
  auto devices = options.devices;
  if (devices.empty()) devices.emplace_back();
  std::optional<Error> missing;
  for (const std::string& device : devices) {
    PipelineFile file = load(options, plugins, device);
    set_threads(static_cast<int>(std::get<std::int64_t>(file.threads.value)));
    result.threads = threads();
    result.pipeline = file.name;
    result.model = std::get<std::string>(file.model.value);
    try {
      result.devices.push_back(
          measure_device(options, std::move(file), device));
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      missing = error;
      result.devices.push_back({.device = device,
                                .dtype = "",
                                .missing = error.text(),
                                .batches = {}});
    }
  }
  warn("pipeline-bench", plugins.warnings());
  if (options.json != "-") std::cout << table(result);
  if (!options.json.empty()) write(options.json, to_json(result));
  // Of several devices one may be missing; the only one may not.
  const bool is_any =
      std::any_of(result.devices.begin(), result.devices.end(),
                  [](const DeviceResult& each) { return !each.missing; });
  if (!is_any) throw Error(*missing);
  return 0;
}

}  // namespace penstock::bench

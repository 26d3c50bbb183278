#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "common/program.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/plugin_host.h"
#include "penstock/runner.h"
#include "pipeline_bench/html/page.h"
#include "pipeline_bench/options.h"
#include "pipeline_bench/report.h"
#include "pipeline_bench/requests.h"

namespace penstock::bench {
namespace {

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

/// A variant that is open, and what it will run.
struct Opened {
  std::unique_ptr<Runner> runner;
  std::vector<Request> requests;
  VariantResult* result = nullptr;
};

std::vector<Load> loads_of(const Options& options) {
  std::vector<Load> all;
  for (const int batch : options.batches) {
    all.push_back({.batch = batch, .rate = 0, .requests = batch});
  }
  for (const double rate : options.rates) {
    all.push_back({.batch = 0, .rate = rate, .requests = options.requests});
  }
  return all;
}

Opened open(const Options& options, Variant variant, VariantResult& result) {
  Opened out;
  out.result = &result;
  out.requests = requests_of(options, variant.file);
  PipelineOptions how;
  how.max_in_flight = 1 << 16;
  how.trace = true;  // knows the steps
  out.runner = std::make_unique<Runner>(std::move(variant.file), how);
  result.device = out.runner->device();
  if (result.name.empty()) result.name = result.device;
  result.dtype = get_or(out.runner->facts(), kDtype, "");
  result.open_s = out.runner->stats().front().second.open_s;
  return out;
}

/// Opens every variant whose device is there. Throws where none is.
std::vector<Opened> open_all(const Options& options,
                             std::vector<Variant> variants, Result& result) {
  for (const Variant& each : variants) {
    result.variants.push_back(
        {.name = each.name, .device = each.device, .settings = each.settings});
  }
  std::vector<Opened> all;
  std::optional<Error> missing;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    try {
      all.push_back(open(options, std::move(variants[i]), result.variants[i]));
    } catch (Error& error) {
      if (error.code() != Code::kUnavailable) {
        if (variants.size() == 1) throw;
        throw error.in("variant " + result.variants[i].name);
      }
      missing = error;
      result.variants[i].missing = error.text();
    }
  }
  // Of several devices one may be missing; the only one may not.
  if (all.empty()) throw Error(*missing);
  return all;
}

void count(Opened& variant, Measured& measured) {
  std::vector<Span> spans;
  for (const Run& run : measured.warm()) spans.emplace_back(run.begin, run.end);
  measured.steps = count_steps(variant.runner->trace_json(), spans);
  measured.steps.ran = measured.stats().steps;
}

void measure_all(const Options& options, std::vector<Opened>& variants) {
  for (const Load& load : loads_of(options)) {
    const auto run = [&](std::size_t i, std::uint64_t round) {
      Opened& variant = variants[i];
      say(options, str(variant.result->name, ": ", load.text()));
      return run_once(*variant.runner, variant.requests, load, round);
    };
    auto measured =
        measure(variants.size(), load,
                {.runs = options.runs, .warmup = options.warmup}, run);
    for (std::size_t i = 0; i < variants.size(); ++i) {
      count(variants[i], measured[i]);
      variants[i].result->loads.push_back(std::move(measured[i]));
    }
  }
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
  auto variants = variants_of(options, plugins);
  const PipelineFile& first = variants.front().file;
  Result result;
  result.runs = options.runs;
  result.processor = proc_line("/proc/cpuinfo", "model name");
  set_threads(static_cast<int>(std::get<std::int64_t>(first.threads.value)));
  result.threads = threads();
  result.pipeline = first.name;
  result.model = std::get<std::string>(first.model.value);
  {
    auto opened = open_all(options, std::move(variants), result);
    measure_all(options, opened);
    result.peak_mib = static_cast<double>(peak_memory()) / (1 << 20);
  }
  warn("pipeline-bench", plugins.warnings());
  if (options.json != "-") std::cout << table(result);
  if (!options.json.empty()) write(options.json, to_json(result));
  if (!options.html.empty()) write(options.html, to_html(result));
  return 0;
}

}  // namespace penstock::bench

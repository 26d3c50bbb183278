#include "pipeline_bench/requests.h"

#include <algorithm>
#include <utility>

#include "pipeline_run/input/find_pipeline.h"
#include "pipeline_run/input/inputs.h"
#include "pipeline_run/input/stop.h"

namespace penstock::bench {
namespace {

bool has(const StageConfig& stage, const std::string& param) {
  return stage.spec->params.find(param) != nullptr;
}

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

/// Threads are the whole process's: two variants cannot differ in them.
void check_versus(const std::vector<Override>& overrides) {
  for (const Override& each : overrides) {
    if (each.key != "threads") continue;
    throw Error(Code::kUsage,
                "--vs threads=...: threads are shared by all variants; run "
                "pipeline-bench twice with --threads");
  }
}

/// Batches as large as the loads, unless somebody chose their size.
void make_room(const Options& options, PipelineFile& file) {
  if (options.batches.empty() || !has(file.batch, "max_sequences")) return;
  const Setting& own = file.batch.settings.at("max_sequences");
  const bool is_chosen = own.source == "--set" || own.source == "--vs";
  std::int64_t most =
      *std::max_element(options.batches.begin(), options.batches.end());
  if (!options.rates.empty()) {
    most = std::max(most, std::get<std::int64_t>(own.value));
  }
  if (is_chosen) return;
  override_params(file,
                  {{"batch.max_sequences", std::to_string(most), "--batch"}});
}

PipelineFile load(const Options& options, PluginHost& plugins,
                  const std::string& device, const std::string& settings) {
  auto overrides = options.overrides;
  if (!device.empty()) overrides.push_back({"device", device, "--device"});
  if (!settings.empty()) {
    const auto own = parse_overrides(settings, "--vs");
    check_versus(own);
    overrides.insert(overrides.end(), own.begin(), own.end());
  }
  CompositionFile all = run::load_named(options.file, plugins, overrides);
  if (!all.is_one()) {
    throw Error(Code::kUsage, str("'", options.file,
                                  "' composes pipelines; measure the file of "
                                  "the step it is about"));
  }
  PipelineFile file = std::move(all.steps.front().file);
  make_room(options, file);
  return file;
}

}  // namespace

std::vector<Variant> variants_of(const Options& options, PluginHost& plugins) {
  auto devices = options.devices;
  if (devices.empty()) devices.emplace_back();
  std::vector<std::string> settings{""};
  settings.insert(settings.end(), options.versus.begin(), options.versus.end());
  std::vector<Variant> all;
  for (const std::string& each : settings) {
    for (const std::string& device : devices) {
      all.push_back(
          {.name = options.versus.empty()
                       ? device
                       : std::string(1, static_cast<char>('A' + all.size())),
           .device = device,
           .settings = each,
           .file = load(options, plugins, device, each)});
    }
  }
  return all;
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

}  // namespace penstock::bench

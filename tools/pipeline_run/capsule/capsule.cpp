#include "pipeline_run/capsule/capsule.h"

#include <sys/stat.h>

#include <charconv>
#include <iostream>
#include <system_error>
#include <utility>

#include "common/harmless.h"
#include "penstock/sdk_version.h"
#include "pipeline_run/capsule/kept_json.h"
#include "pipeline_run/capsule/kept_values.h"
#include "pipeline_run/capsule/read.h"
#include "pipeline_run/inspect/safetensors_file.h"
#include "pipeline_run/output/new_file.h"

namespace penstock::run {
namespace {

namespace fs = std::filesystem;

/// What is a path here would be none elsewhere.
std::string absolute_model(const std::string& model) {
  std::error_code error;
  const bool is_path = !model.empty() && fs::exists(model, error);
  return is_path ? fs::absolute(model).string() : model;
}

/// The pipeline as it ran, without anybody's inputs.
std::string pipeline_text(PipelineFile file) {
  file.inputs.clear();
  auto& model = std::get<std::string>(file.model.value);
  model = absolute_model(model);
  const auto mend = [](StageConfig& stage) {
    stage.model = absolute_model(stage.model);
  };
  for (StageConfig& stage : file.preprocess) mend(stage);
  for (StageConfig& stage : file.rules) mend(stage);
  for (StageConfig* stage :
       {&file.batch, &file.forward, &file.decode, &file.postprocess}) {
    mend(*stage);
  }
  return explain(file);
}

std::string plugin_of(const StageConfig& stage) {
  return stage.spec->name.substr(0, stage.spec->name.find('.'));
}

/// What built the libraries that ran: their notes say SDK, ABI and libtorch.
KeptJson versions(const PipelineFile& file, const PluginHost& plugins) {
  KeptJson out{{"penstock", PENSTOCK_SDK_VERSION}};
  for (const StageConfig* stage : file.stages()) {
    const std::string name = plugin_of(*stage);
    if (out.contains(name)) continue;
    for (const PluginFacts& each : plugins.plugins()) {
      if (each.name == name) out[name] = each.abi;
    }
  }
  return out;
}

KeptJson stage_of(const StageConfig& stage, std::size_t index) {
  return {{"index", index},
          {"kind", to_string(stage.spec->kind)},
          {"use", stage.spec->name}};
}

/// The stage that an error names first; nothing where it names none.
std::optional<std::size_t> index_of(const PipelineFile& file,
                                    const Error& error) {
  const auto stages = file.stages();
  for (const Place& place : error.places()) {
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const bool is_it = place.kind == Place::Kind::kStage &&
                         place.detail == stages[i]->spec->name;
      if (is_it) return i;
    }
  }
  return std::nullopt;
}

void write_text(const fs::path& path, const std::string& text) {
  NewFile file(path);
  file.write(text);
  file.close();
}

}  // namespace

/// What a capsule begins with.
struct Capsule::Why {
  KeptJson json;
  std::size_t index = 0;
};

CallNumber call_number(const std::string& text) {
  const auto colon = text.find(':');
  CallNumber out;
  bool is_stage = false;
  for (const StageKind each :
       {StageKind::kPreprocess, StageKind::kBatch, StageKind::kForward,
        StageKind::kDecode, StageKind::kPostprocess}) {
    if (to_string(each) != text.substr(0, colon)) continue;
    out.stage = each;
    is_stage = true;
  }
  if (is_stage && colon == std::string::npos) return out;
  const std::string number =
      colon == std::string::npos ? "" : text.substr(colon + 1);
  const char* const end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, out.number);
  if (is_stage && read.ec == std::errc() && read.ptr == end &&
      out.number >= 1) {
    return out;
  }
  throw Error(Code::kUsage,
              str("--capsule-at: expected STAGE or STAGE:NUMBER, such as "
                  "forward:3 for its third call, not '",
                  text, "'"));
}

Capsule::Capsule(fs::path folder, const std::string& at,
                 const CompositionFile& file, const PluginHost& plugins)
    : folder_(std::move(folder)), file_(file), plugins_(plugins) {
  if (!at.empty()) at_ = call_number(at);
  std::error_code error;
  is_made_ = fs::create_directories(folder_, error);
  const bool is_empty = !error && fs::is_empty(folder_, error);
  if (error) {
    throw Error(Code::kRetry, str("--capsule: cannot make the folder '",
                                  folder_.string(), "': ", error.message()));
  }
  if (!is_empty) {
    throw Error(Code::kUsage,
                str("--capsule: '", folder_.string(),
                    "' is not empty, and nothing in it is overwritten; name a "
                    "new folder"));
  }
  fs::permissions(folder_, fs::perms::owner_all, error);
}

Capsule::~Capsule() {
  std::error_code error;
  if (is_made_ && !is_kept_) fs::remove(folder_, error);
}

void Capsule::on_trace(std::function<std::string()> trace) {
  const std::scoped_lock lock(mutex_);
  trace_ = std::move(trace);
}

void Capsule::keep(const Error& error) {
  for (const StepConfig& step : file_.steps) {
    bool is_it = file_.is_one();
    for (const Place& place : error.places()) {
      is_it |= place.kind == Place::Kind::kStep && place.name == step.name;
    }
    const auto index = index_of(step.file, error);
    if (!is_it || !index) continue;
    keep({.json = {{"why", "open"}, {"error", kept_text(error.what())}},
          .index = *index},
         step.file, nullptr);
  }
}

bool Capsule::is_asked(const StageCall& call) {
  const StageKind kind = call.stage->spec->kind;
  const std::scoped_lock lock(mutex_);
  return at_ && at_->stage == kind && ++calls_[kind] == at_->number;
}

void Capsule::called(const StageCall& call) {
  if (!is_asked(call)) return;
  keep({.json = {{"why", "asked"}}, .index = call.index}, *call.file, &call);
}

void Capsule::failed(const StageCall& call, const Error& error) {
  keep({.json = {{"why", "error"}, {"error", kept_text(error.what())}},
        .index = call.index},
       *call.file, &call);
}

void Capsule::hangs(const StageCall& call, const Stall& stall) {
  KeptJson told{{"seconds", stall.seconds}, {"stack", KeptJson::array()}};
  for (const auto& line : stall.stack) told["stack"].push_back(kept_text(line));
  for (const QueueFill& each : stall.queues) {
    told["queues"][each.name] = {{"count", each.count}, {"most", each.most}};
  }
  keep({.json = {{"why", "stall"}, {"stall", told}}, .index = call.index},
       *call.file, &call);
}

void Capsule::keep(const Why& why, const PipelineFile& file,
                   const StageCall* call) {
  const std::scoped_lock lock(mutex_);
  if (std::exchange(is_kept_, true)) return;
  const std::string path = harmless(folder_.string());
  try {
    write(why, file, call);
    std::cerr << str("pipeline-run: what ",
                     to_string(file.stages()[why.index]->spec->kind),
                     " was given is kept in '", path,
                     "'; again: pipeline-run --replay '", path, "'\n")
              << std::flush;
  } catch (const std::exception& error) {
    // The run's own error is the one that counts.
    std::cerr << "pipeline-run: --capsule: " << harmless(error.what()) << "\n";
  }
}

void Capsule::write(const Why& why, const PipelineFile& file,
                    const StageCall* call) {
  KeptJson out{{"format", kCapsuleFormat}};
  out.update(why.json);
  out["stage"] = stage_of(*file.stages()[why.index], why.index);
  out["versions"] = versions(file, plugins_);
  if (trace_) write_text(folder_ / "trace.json", trace_());
  write_text(folder_ / "pipeline.yaml", pipeline_text(file));
  if (call != nullptr) {
    KeptParts parts = kept_parts(*call);
    out["call"] = std::move(parts.json);
    out["missing"] = parts.missing;
    for (std::size_t i = 0; i < parts.bytes.size(); ++i) {
      write_text(folder_ / str("bytes.", i), *parts.bytes[i]);
    }
    write_safetensors(folder_ / "tensors.safetensors", parts.tensors,
                      TensorTypes::kAll);
  }
  // Last: a folder with it is whole.
  write_text(folder_ / "capsule.json", out.dump(1) + "\n");
}

}  // namespace penstock::run

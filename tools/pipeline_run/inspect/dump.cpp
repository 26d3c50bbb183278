#include "pipeline_run/inspect/dump.h"

#include <ATen/ops/tensor.h>

#include <system_error>
#include <utility>

#include "pipeline_run/inspect/stage_json.h"
#include "pipeline_run/inspect/step_share.h"

namespace penstock::run {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

/// What would be written between somebody's files could not be told from them.
void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw Error(Code::kRetry, str("--dump: cannot make the folder '",
                                  path.string(), "': ", error.message()));
  }
  const bool is_empty = fs::is_empty(path, error);
  if (error) {
    throw Error(Code::kRetry, str("--dump: cannot read the folder '",
                                  path.string(), "': ", error.message()));
  }
  if (!is_empty) {
    throw Error(Code::kUsage,
                str("--dump: '", path.string(),
                    "' is not empty, and nothing in it is overwritten; name a "
                    "new folder"));
  }
}

OrderedJson stage_json(const StageConfig& config) {
  OrderedJson out{{"use", config.spec->name}};
  if (!config.model.empty()) out["model"] = config.model;
  out["params"] = OrderedJson::object();
  for (const auto& [name, setting] : config.settings) {
    std::visit(
        [&, &key = name](const auto& value) { out["params"][key] = value; },
        setting.value);
  }
  return out;
}

OrderedJson pipeline_json(const PipelineFile& file) {
  OrderedJson out{{"name", file.name}};
  for (const StageConfig& config : file.preprocess) {
    out["preprocess"].push_back(stage_json(config));
  }
  out["batch"] = stage_json(file.batch);
  out["forward"] = stage_json(file.forward);
  for (const StageConfig& config : file.rules) {
    out["rules"].push_back(stage_json(config));
  }
  out["decode"] = stage_json(file.decode);
  out["postprocess"] = stage_json(file.postprocess);
  return out;
}

/// Which row of the request it is, and where it is.
OrderedJson slice_json(const Slice& slice, std::int64_t step) {
  return {{"step", step},
          {"sample", slice.sequence->item->index},
          {"branch", slice.sequence->branch},
          {"begin", slice.begin},
          {"count", slice.count}};
}

OrderedJson report_json(const Report& report) {
  OrderedJson out{{"finish_reason", report.finish_reason},
                  {"prompt_tokens", report.prompt_tokens},
                  {"token_ids", report.token_ids}};
  for (std::size_t i = 1; i < report.branches.size(); ++i) {
    out["others"].push_back(
        {{"finish_reason", report.branches[i].finish_reason},
         {"token_ids", report.branches[i].token_ids}});
  }
  if (!report.warnings.empty()) out["warnings"] = report.warnings;
  if (report.error) out["error"] = report.error->what();
  return out;
}

class Watched final : public ResultSink {
 public:
  Watched(Dump& dump, std::shared_ptr<ResultSink> sink)
      : dump_(dump), sink_(std::move(sink)) {}
  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override {
    dump_.piece(request, value, branch);
    sink_->piece(request, value, branch, is_final);
  }
  void part_done(const Request& request, const Report& report) override {
    dump_.part_done(request, report);
    sink_->part_done(request, report);
  }
  void step_done(const std::string& step) override { sink_->step_done(step); }
  void done(const Request& request, const Report& report) override {
    sink_->done(request, report);
  }

 private:
  Dump& dump_;
  std::shared_ptr<ResultSink> sink_;
};

}  // namespace

Dump::Dump(fs::path folder, const CompositionFile& file, StageKind last)
    : last_step_(file.steps.back().name), last_(last) {
  make_folder(folder);
  for (const StepConfig& step : file.steps) {
    const fs::path path =
        step.name.empty() ? folder : folder / folder_name(step.name);
    if (path != folder) make_folder(path);
    of_steps_[step.name] = {.path = path, .pipeline = pipeline_json(step.file)};
  }
}

Dump::~Dump() = default;

std::shared_ptr<ResultSink> Dump::watch(std::shared_ptr<ResultSink> sink) {
  return std::make_shared<Watched>(*this, std::move(sink));
}

std::optional<Error> Dump::error() const {
  const std::scoped_lock lock(mutex_);
  return error_;
}

bool Dump::has(const Request& request, StageKind stage) const {
  return request.step != last_step_ || stage <= last_;
}

void Dump::guarded(const std::function<void()>& write) {
  {
    const std::scoped_lock lock(mutex_);
    if (error_) return;
    try {
      write();
      return;
    } catch (const Error& error) {
      error_ = error;
    } catch (const std::exception& error) {
      error_ = Error(Code::kInternal, error.what());
    }
  }
  if (quit_) quit_();
}

/// The runtime keeps a request where it is until it is done.
DumpFolder& Dump::folder_of(const Request& request) {
  auto& folder = open_[&request];
  if (folder) return *folder;
  const StepDump& step = of_steps_.at(request.step);
  const fs::path wanted = step.path / folder_name(request.id);
  fs::path free = wanted;
  std::error_code none;
  for (int i = 2; fs::exists(free, none); ++i) {
    free = str(wanted.string(), "-", i);
  }
  folder = std::make_unique<DumpFolder>(
      free, OrderedJson{{"id", request.id},
                        {"pipeline", step.pipeline},
                        {"request", request_json(request)}});
  return *folder;
}

void Dump::item(const Request& request, const Item& item) {
  guarded([&] {
    OrderedJson entry{{"sample", item.index},
                      {"tokens", item.tokens},
                      {"notes", notes_json(item.notes)}};
    Tensors tensors = item.inputs;
    if (!item.tokens.empty()) {
      tensors.emplace_back("tokens", at::tensor(item.tokens));
    }
    folder_of(request).add(StageKind::kPreprocess, entry, tensors);
  });
}

void Dump::step(const Step& step, const Result& result) {
  guarded([&] {
    std::int64_t& steps = of_steps_.at(step_of(step)).steps;
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      const Slice& slice = step.slices[i];
      const Request& request = *slice.sequence->item->request;
      DumpFolder& folder = folder_of(request);
      OrderedJson entry = slice_json(slice, steps);
      OrderedJson batch = entry;
      batch["layout"] = to_string(step.layout);
      batch["rows"] = step.slices.size();
      if (has(request, StageKind::kBatch)) {
        folder.add(StageKind::kBatch, batch, inputs_of(step, i));
      }
      if (!has(request, StageKind::kForward)) continue;
      entry["outs"] = slice.outs;
      folder.add(StageKind::kForward, entry, results_of(step, result, i));
    }
    ++steps;
  });
}

void Dump::decoded(const Request& request, const Decoded& decoded) {
  if (!has(request, StageKind::kDecode)) return;
  guarded([&] {
    OrderedJson entry{{"step", of_steps_.at(request.step).steps - 1},
                      {"sample", decoded.item->index},
                      {"branch", decoded.branch},
                      {"tokens", decoded.tokens},
                      {"finish", to_string(decoded.finish)},
                      {"notes", notes_json(decoded.notes)}};
    folder_of(request).add(StageKind::kDecode, entry, decoded.tensors);
  });
}

void Dump::piece(const Request& request, const Value& value, int branch) {
  if (!has(request, StageKind::kPostprocess)) return;
  guarded([&] {
    OrderedJson entry{{"branch", branch}};
    Tensors tensors;
    if (const auto* made = std::get_if<Tensors>(&value)) {
      tensors = *made;
    } else {
      entry["value"] = value_json(value);
    }
    folder_of(request).add(StageKind::kPostprocess, entry, tensors);
  });
}

void Dump::part_done(const Request& request, const Report& report) {
  guarded([&] {
    folder_of(request).close(report_json(report));
    open_.erase(&request);
  });
}

}  // namespace penstock::run

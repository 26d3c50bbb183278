#include "pipeline_run/inspect/watch.h"

#include <utility>

#include "pipeline_run/inspect/dump.h"
#include "pipeline_run/inspect/show.h"
#include "pipeline_run/inspect/stage_lines.h"
#include "pipeline_run/inspect/step_share.h"

namespace penstock::run {
namespace {

constexpr std::array kStages{StageKind::kPreprocess, StageKind::kBatch,
                             StageKind::kForward, StageKind::kDecode,
                             StageKind::kPostprocess};

/// --show: every stage up to the last; else the last alone, and all of it.
std::optional<Shown> shown(const Options& options) {
  const StageKind last = last_stage(options);
  if (options.show) {
    return Shown{.batch = last >= StageKind::kBatch,
                 .forward = last >= StageKind::kForward};
  }
  if (options.json || last >= StageKind::kDecode) return std::nullopt;
  return Shown{.preprocess = last == StageKind::kPreprocess,
               .batch = last == StageKind::kBatch,
               .forward = last == StageKind::kForward,
               .steps = kAll};
}

}  // namespace

StageKind last_stage(const Options& options) {
  for (const StageKind stage : kStages) {
    if (to_string(stage) == options.until) return stage;
  }
  return StageKind::kPostprocess;
}

Watch::Watch(const Options& options, const CompositionFile& file,
             Output& output)
    : prints_tensors_(last_stage(options) == StageKind::kDecode),
      is_json_(options.json),
      step_(options.step) {
  const StageKind last = last_stage(options);
  if (const auto how = shown(options)) {
    shown_.push_back(std::make_shared<Show>(output, *how));
  }
  if (is_json_ && last == StageKind::kPreprocess) {
    shown_.push_back(std::make_shared<SampleLines>(output));
  }
  if (is_json_ && (last == StageKind::kBatch || last == StageKind::kForward)) {
    shown_.push_back(std::make_shared<StepLines>(output, last));
  }
  if (!options.dump.empty()) {
    dump_ = std::make_shared<Dump>(options.dump, file, last);
  }
}

Watch::~Watch() = default;

void Watch::on_lost(std::function<void()> quit) {
  if (dump_) dump_->on_lost(std::move(quit));
}

std::optional<Error> Watch::error() const {
  return dump_ ? dump_->error() : std::nullopt;
}

std::shared_ptr<ResultSink> Watch::watched(
    std::shared_ptr<ResultSink> sink) const {
  if (prints_tensors_) sink = as_printed(std::move(sink), is_json_);
  return dump_ ? dump_->watch(std::move(sink)) : sink;
}

void Watch::item(const Request& request, const Item& item) {
  if (request.step == step_) {
    for (const auto& each : shown_) each->item(request, item);
  }
  if (dump_) dump_->item(request, item);
}

void Watch::step(const Step& step, const Result& result) {
  if (step_of(step) == step_) {
    for (const auto& each : shown_) each->step(step, result);
  }
  if (dump_) dump_->step(step, result);
}

void Watch::decoded(const Request& request, const Decoded& decoded) {
  if (dump_) dump_->decoded(request, decoded);
}

void Watch::done(const Request& request, const Report& report) {
  if (dump_) dump_->part_done(request, report);
}

}  // namespace penstock::run

#include "pipeline_run/output/step_printer.h"

#include <utility>

#include "penstock/drawing.h"
#include "pipeline_run/output/timeline.h"

namespace penstock::run {

StepPrinter::StepPrinter(std::shared_ptr<ResultSink> sink, bool is_json,
                         std::string last_step, std::string drawings)
    : sink_(std::move(sink)),
      is_json_(is_json),
      last_step_(std::move(last_step)),
      drawings_(std::move(drawings)) {}

/// A line "speech:" before the first words of a step, a new line before those
/// of its next request.
void StepPrinter::write(const StepRequest& from, std::string text) {
  if (text.empty()) return;
  if (!is_json_ && from.step.name != step_) {
    text = (step_.empty() ? "" : "\n") + from.step.name + ":\n" + text;
  } else if (from.index != index_) {
    text = (index_ < 0 ? "" : "\n") + text;
  }
  step_ = from.step.name;
  index_ = from.index;
  sink_->piece(from.request, text, 0, /*is_final=*/false);
}

void StepPrinter::piece(const StepRequest& from, const Value& value,
                        int branch) {
  Written& written = written_[branch];
  if (const auto* json = std::get_if<Json>(&value)) {
    written.json.push_back(json->text);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    written.text += *text;
    // In JSON the line's own text is the last step's.
    const bool is_told = !is_json_ || from.step.name == last_step_;
    if (branch == 0 && is_told) write(from, *text);
  }
}

void StepPrinter::step_done(const StepRequest& from, const Report& report) {
  if (is_json_ || !drawings_.empty()) {
    results_.push_back(
        step_json(from.step.name, from.request, report, written_));
  }
  if (is_json_) {
    sink_->piece(from.request, Json{results_.back()}, 0, /*is_final=*/false);
  }
  for (const auto& [branch, written] : written_) {
    if (branch == 0 || is_json_) continue;
    write(from, str("\n--- answer ", branch + 1, "\n", written.text));
  }
  written_.clear();
}

void StepPrinter::done(const Request& request, const Report& report) {
  const std::string times = is_json_ ? timeline(results_) : "";
  if (!times.empty()) sink_->piece(request, Json{times}, 0, true);
  Report told = report;
  try {
    draw(request);
  } catch (const Error& error) {
    if (!told.error) told.error = error;
  }
  sink_->done(request, told);
}

void StepPrinter::draw(const Request& request) const {
  if (drawings_.empty()) return;
  const std::string svg = timeline_svg(results_);
  if (svg.empty()) return;
  make_drawing_folder(drawings_);
  write_drawing(drawing_path(drawings_, request.id, ".svg"), svg);
}

}  // namespace penstock::run

#include "pipeline_run/output/step_printer.h"

#include <utility>

#include "common/program.h"
#include "penstock/drawing.h"
#include "pipeline_run/output/timeline.h"

namespace penstock::run {

StepPrinter::StepPrinter(std::shared_ptr<ResultSink> sink,
                         const CompositionFile& file, StepStyle style)
    : sink_(std::move(sink)),
      file_(file),
      style_(std::move(style)),
      steps_(file.steps.size()) {}

StepPrinter::Step& StepPrinter::step_of(const std::string& name) {
  return steps_.at(static_cast<std::size_t>(file_.find(name)));
}

bool StepPrinter::is_hidden(const std::string& step) const {
  return !style_.only.empty() && step != style_.only;
}

/// A line "speech:" before the first words of a step, a new line before those
/// of its next request.
void StepPrinter::write(const Request& from, std::string text) {
  if (text.empty()) return;
  Step& step = step_of(from.step);
  const bool is_first = step.index < 0;
  if (is_first && !style_.is_json && style_.only.empty()) {
    text = from.step + ":\n" + text;
  } else if (!is_first && from.index != step.index) {
    text = "\n" + text;
  }
  step.index = from.index;
  step.text += text;
  flush(from);
}

/// In JSON the line's own text is the last step's, and waits for nobody.
void StepPrinter::flush(const Request& from) {
  Step& step = style_.is_json ? steps_.back() : steps_[at_];
  if (step.text.empty()) return;
  std::string text = std::exchange(step.text, {});
  const bool begins = !style_.is_json && !step.has_begun;
  if (begins && std::exchange(has_written_, true)) text = "\n" + text;
  step.has_begun = true;
  sink_->piece(from, text, 0, /*is_final=*/false);
}

void StepPrinter::piece(const Request& from, const Value& value, int branch,
                        bool /*is_final*/) {
  if (is_hidden(from.step)) return;
  Written& written = step_of(from.step).written[branch];
  if (const auto* json = std::get_if<Json>(&value)) {
    written.json.push_back(json->text);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    written.has_text = true;
    written.text += *text;
    const bool is_told =
        !style_.is_json || from.step == file_.steps.back().name;
    if (branch == 0 && is_told) write(from, *text);
  } else if (from.step == file_.steps.back().name) {
    written.has_text = true;  // JSON is for who gets nothing else
    sink_->piece(from, value, branch, /*is_final=*/false);
  }
}

void StepPrinter::part_done(const Request& from, const Report& report) {
  if (is_hidden(from.step)) return;
  Step& step = step_of(from.step);
  if (style_.is_json || !style_.drawings.empty()) {
    step.results.push_back(step_json(from.step, from, report, step.written));
  }
  for (const auto& [branch, written] : step.written) {
    if (style_.is_json) break;
    const bool is_json = !written.has_text && !written.json.empty();
    const std::string text = is_json ? join_json(written.json) : written.text;
    if (branch > 0) {
      write(from, str("\n--- answer ", branch + 1, "\n", text));
    } else if (is_json && !report.error) {
      write(from, text);
    }
  }
  step.written.clear();
}

void StepPrinter::step_done(const std::string& step) {
  step_of(step).is_over = true;
  while (at_ + 1 < steps_.size() && steps_[at_].is_over) {
    ++at_;
    if (!style_.is_json) flush(whole_);
  }
}

void StepPrinter::give_results(const Request& request) {
  std::vector<std::string> all;
  for (Step& step : steps_) {
    for (std::string& result : step.results) all.push_back(std::move(result));
  }
  if (style_.is_json) {
    for (const std::string& result : all) {
      sink_->piece(request, Json{result}, 0, /*is_final=*/false);
    }
    const std::string times = timeline(all);
    if (!times.empty()) sink_->piece(request, Json{times}, 0, true);
  }
  draw(request, all);
}

void StepPrinter::done(const Request& request, const Report& report) {
  Report told = report;
  try {
    give_results(request);
  } catch (...) {
    // The lines behind wait for this one: it ends whatever happened.
    if (!told.error) told.error = caught();
  }
  sink_->done(request, told);
}

void StepPrinter::draw(const Request& request,
                       const std::vector<std::string>& results) {
  if (style_.drawings.empty()) return;
  const std::string svg = timeline_svg(results);
  if (svg.empty()) return;
  make_drawing_folder(style_.drawings);
  write_drawing(drawing_path(style_.drawings, request.id, ".svg"), svg);
}

}  // namespace penstock::run

// --until STAGE --json: a line of JSON for each thing that the stage made.
#pragma once

#include <memory>

#include "penstock/pipeline.h"
#include "pipeline_run/output/output.h"

namespace penstock::run {

/// A line for each step, until batch or forward:
///   {"step": 0, "layout": "packed", "rows": [{"id": "0", "sample": 0,
///    "branch": 0, "begin": 0, "count": 5}], "inputs": {"tokens": {...}}}
/// until forward also `outputs`, named as --dump names them, and in a row `out`
/// and `outs`: the first of its positions in the scores, and how many.
class StepLines final : public Observer {
 public:
  StepLines(Output& output, StageKind last) : output_(output), last_(last) {}
  void step(const Step& step, const Result& result) override;

 private:
  Output& output_;
  StageKind last_;
  std::int64_t steps_ = 0;
};

/// item_line() of each item, until preprocess.
class SampleLines final : public Observer {
 public:
  explicit SampleLines(Output& output) : output_(output) {}
  void item(const Request& request, const Item& item) override;

 private:
  Output& output_;
};

/// {"id", "input_ids"}, and `inputs`: the other tensors' shapes.
[[nodiscard]] std::string item_line(const std::string& id, const Item& item);

/// What Decode made, which comes as Tensors, as `sink` prints it: ids as text,
/// or as JSON {"tensors": [...]} beside the ids of the report.
[[nodiscard]] std::shared_ptr<ResultSink> as_printed(
    std::shared_ptr<ResultSink> sink, bool is_json);

}  // namespace penstock::run

// What the steps of a composition write, as one result: text with the step's
// name before it, or one JSON line with every step's results and a timeline.
// Steps write at the same time; what is written is in the order of the file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "penstock/runner.h"
#include "pipeline_run/output/json_line.h"

namespace penstock::run {

struct StepStyle {
  bool is_json = false;
  std::string drawings;  ///< folder for timelines, or ""
  std::string only;      ///< the one step that is written, or "": all
};

class StepPrinter final : public ResultSink {
 public:
  /// `sink` prints the whole; `file` outlives this.
  StepPrinter(std::shared_ptr<ResultSink> sink, const CompositionFile& file,
              StepStyle style);

  void piece(const Request& from, const Value& value, int branch,
             bool is_final) override;
  void part_done(const Request& from, const Report& report) override;
  void step_done(const std::string& step) override;
  void done(const Request& request, const Report& report) override;

 private:
  struct Step {
    std::int64_t index = -1;           ///< whose text was written last
    std::string text;                  ///< until it is this step's turn
    std::map<int, Written> written;    ///< by the request that writes now
    std::vector<std::string> results;  ///< of its requests, as JSON
    bool has_begun = false;            ///< some of its text went on
    bool is_over = false;
  };

  [[nodiscard]] Step& step_of(const std::string& name);
  [[nodiscard]] bool is_hidden(const std::string& step) const;
  void write(const Request& from, std::string text);
  void flush(const Request& from);
  void give_results(const Request& request);
  void draw(const Request& request, const std::vector<std::string>& results);

  std::shared_ptr<ResultSink> sink_;
  const CompositionFile& file_;
  StepStyle style_;
  std::vector<Step> steps_;
  std::size_t at_ = 0;  ///< the step whose turn it is
  bool has_written_ = false;
  Request whole_;  ///< stands for all requests of the steps
};

}  // namespace penstock::run

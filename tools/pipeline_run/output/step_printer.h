// What the steps of a composition write, as one result: text with the step's
// name before it, or one JSON line with every step's results and a timeline.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "penstock/composition.h"
#include "pipeline_run/output/json_line.h"

namespace penstock::run {

class StepPrinter final : public StepSink {
 public:
  /// `sink` prints the whole; `is_json`: as a JSON line. `drawings`: the folder
  /// for timelines, or "".
  StepPrinter(std::shared_ptr<ResultSink> sink, bool is_json,
              std::string last_step, std::string drawings);

  void piece(const StepRequest& from, const Value& value, int branch) override;
  void step_done(const StepRequest& from, const Report& report) override;
  void done(const Request& request, const Report& report) override;

 private:
  void write(const StepRequest& from, std::string text);
  void draw(const Request& request) const;

  std::shared_ptr<ResultSink> sink_;
  bool is_json_;
  std::string last_step_, drawings_;
  std::string step_;                  ///< whose text was written last
  std::int64_t index_ = -1;           ///< and which of its requests
  std::map<int, Written> written_;    ///< by the request that writes now
  std::vector<std::string> results_;  ///< of requests that are done, as JSON
};

}  // namespace penstock::run

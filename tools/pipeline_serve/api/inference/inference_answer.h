// What a pipeline wrote for the requests of one call, as tensors.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "penstock/pipeline.h"
#include "pipeline_serve/api/inference/inference_request.h"
#include "pipeline_serve/http/message.h"

namespace penstock::serve {

/// The only version of every model.
inline constexpr const char* kModelVersion = "1";

/// All that was written for one request.
class RowResult {
 public:
  void add(const Request& request, const Value& value, int branch);
  void end(const Report& report) { branches_ = report.branches.size(); }

  /// How many answers there are: 1, or its option `n`.
  [[nodiscard]] std::size_t branches() const { return branches_; }
  [[nodiscard]] std::string text(const std::string& step, int branch) const;
  /// One object.
  [[nodiscard]] std::string json(const std::string& step, int branch) const;

 private:
  struct Written {
    std::string text;
    std::vector<std::string> json;
    std::int64_t index = 0;  ///< of the step's requests, the last that wrote
  };
  [[nodiscard]] const Written& of(const std::string& step, int branch) const;

  std::map<std::string, std::map<int, Written>> steps_;
  std::size_t branches_ = 1;
};

/// The outputs that `request` asks for, one element for each of `rows`.
[[nodiscard]] Answer inference_answer(const InferenceRequest& request,
                                      const std::string& model,
                                      const std::vector<RowResult>& rows);

}  // namespace penstock::serve

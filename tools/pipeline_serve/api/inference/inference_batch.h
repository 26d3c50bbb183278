// The requests of one call on their way through a pipeline: one answer when
// all of them are over, or the error of the first that fails.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pipeline_serve/api/inference/inference_answer.h"
#include "pipeline_serve/serving/served.h"
#include "pipeline_serve/serving/together.h"

namespace penstock::serve {

class InferenceBatch final
    : public std::enable_shared_from_this<InferenceBatch> {
 public:
  /// Makes the answer of what all of them gave.
  using Finish = std::function<Answer(const std::vector<RowResult>& rows)>;

  InferenceBatch(std::size_t rows, std::shared_ptr<Reply> reply,
                 std::string path, Finish finish)
      : rows_(rows),
        left_(rows),
        reply_(std::move(reply)),
        path_(std::move(path)),
        finish_(std::move(finish)) {}

  /// Where the results of that request go.
  [[nodiscard]] std::shared_ptr<ResultSink> sink(std::size_t row);
  /// Answers with the error, once, and ends the others. Any thread.
  void fail(const HttpError& error);
  [[nodiscard]] Together& together() { return together_; }

 private:
  class RowSink;
  void end(std::size_t row, const Report& report);

  std::vector<RowResult> rows_;  ///< each written by its own sink
  Together together_;
  std::size_t left_;
  std::shared_ptr<Reply> reply_;
  std::string path_;
  Finish finish_;
};

/// Submits every row of `request` together; their results go to `batch`. Throws
/// HttpError and Error where nothing was submitted.
void submit_rows(Served& served, const InferenceRequest& request,
                 const std::shared_ptr<InferenceBatch>& batch,
                 const Call& call);

/// Of one row: with the options, a name and a deadline where one is asked for.
[[nodiscard]] Request request_of(const InferenceRequest& request,
                                 std::size_t row, const Call& call);

}  // namespace penstock::serve

#include "pipeline_serve/api/inference/inference_batch.h"

#include <mutex>
#include <utility>

#include "pipeline_serve/api/openai/generation.h"

namespace penstock::serve {

class InferenceBatch::RowSink final : public ResultSink {
 public:
  RowSink(std::shared_ptr<InferenceBatch> batch, std::size_t row)
      : batch_(std::move(batch)), row_(row) {}
  void piece(const Request& request, const Value& value, int branch,
             bool /*is_final*/) override {
    const std::scoped_lock lock(mutex_);
    batch_->rows_[row_].add(request, value, branch);
  }
  void done(const Request& /*request*/, const Report& report) override {
    batch_->end(row_, report);
  }

 private:
  std::shared_ptr<InferenceBatch> batch_;
  std::size_t row_;
  std::mutex mutex_;  ///< steps of a file come at the same time
};

std::shared_ptr<ResultSink> InferenceBatch::sink(std::size_t row) {
  return std::make_shared<RowSink>(shared_from_this(), row);
}

void InferenceBatch::fail(const HttpError& error) {
  if (together_.end()) reply_->send(answer_of(error, path_));
}

void InferenceBatch::end(std::size_t row, const Report& report) {
  if (report.ending != Ending::kWhole) {
    HttpError error = error_of(report, {.prompt = ""},
                               /*context_length=*/0);
    if (rows_.size() > 1) {
      error.message = str("element ", row, ": ", error.message);
    }
    return fail(error);
  }
  bool is_last = false;
  together_.unless_over([&] {
    rows_[row].end(report);
    is_last = --left_ == 0;
  });
  if (!is_last || !together_.end()) return;
  Answer answer;
  try {
    answer = finish_(rows_);
  } catch (...) {
    answer = answer_of(caught_error(), path_);
  }
  reply_->send(std::move(answer));
}

Request request_of(const InferenceRequest& request, std::size_t row,
                   const Call& call) {
  Request out;
  out.id = request.rows.size() > 1 ? str(call.request.id, ".", row)
                                   : call.request.id;
  out.inputs = request.rows[row];
  out.options = request.options.all();
  if (request.timeout && request.timeout->count() > 0) {
    out.deadline = call.request.arrived + *request.timeout;
  }
  return out;
}

void submit_rows(Served& served, const InferenceRequest& request,
                 const std::shared_ptr<InferenceBatch>& batch,
                 const Call& call) {
  const std::size_t count = request.rows.size();
  const auto ticket = served.admit(call, static_cast<std::int64_t>(count));
  const auto more = served.runner().more_coming();
  for (std::size_t i = 0; i < count && !batch->together().is_over(); ++i) {
    try {
      batch->together().add(served.submit(request_of(request, i, call),
                                          batch->sink(i), ticket, call));
    } catch (...) {
      if (i == 0) throw;
      return batch->fail(caught_error());
    }
  }
}

}  // namespace penstock::serve

// What a run's stages made of one request, in order, to be held against
// another run's.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "penstock/runner.h"

namespace penstock::run {

/// One thing that a stage made.
struct Record {
  std::string where;  ///< "forward, step 3"
  std::string name;   ///< "layer.7", "scores.values", "tokens"
  at::Tensor tensor;  ///< undefined where it is text
  std::string text = {};
};

/// Observes one request at a time.
class Records final : public Observer, public ResultSink {
 public:
  void item(const Request& request, const Item& item) override;
  void step(const Step& step, const Result& result) override;
  void decoded(const Request& request, const Decoded& decoded) override;
  void tensor(std::string_view name, const at::Tensor& value) override;
  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override;
  void done(const Request& request, const Report& report) override;

  /// What was seen since the last call, and the request's error. What a Writer
  /// gave comes last, each branch's texts as one.
  struct Seen {
    std::vector<Record> records;
    std::optional<Error> error;
  };
  [[nodiscard]] Seen take();

 private:
  void add(const std::string& where, const std::string& name,
           const at::Tensor& tensor);
  [[nodiscard]] std::string step_text(const char* stage) const;

  std::mutex mutex_;
  std::vector<Record> records_;
  /// Of the step that runs: an engine may show a tensor in several pieces of
  /// rows.
  std::vector<std::pair<std::string, std::vector<at::Tensor>>> shown_;
  std::map<int, std::string> texts_;  ///< by branch
  std::vector<Record> results_;
  std::optional<Error> error_;
  std::int64_t steps_ = 0;
};

}  // namespace penstock::run

// Outcome: all that one request gave, once it is over.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "penstock/pipeline.h"

namespace penstock {

struct PENSTOCK_API Outcome {
  std::map<int, std::vector<Value>> pieces;  ///< by branch, in order
  Report report;

  /// The pieces of a branch that are text, end to end.
  [[nodiscard]] std::string text(int branch = 0) const;
  /// Those that are JSON, as one object; see join_json().
  [[nodiscard]] std::string json(int branch = 0) const;
};

/// A sink that keeps everything: for tests, and for whoever waits for results
/// one by one.
class PENSTOCK_API Collector final : public ResultSink {
 public:
  /// Keeps the pieces of that step of a composition only; "": of all.
  explicit Collector(std::string step = "");
  ~Collector() override;
  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override;
  void done(const Request& request, const Report& report) override;

  /// Waits for the request's end.
  [[nodiscard]] const Outcome& wait();

 private:
  std::string step_;
  Outcome outcome_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
};

/// JSON objects as one: lists of the same key go on, objects are joined key by
/// key, any other value replaces the one before. Throws Error(kData) for what
/// is no JSON object; nothing gives "{}".
[[nodiscard]] PENSTOCK_API std::string join_json(
    const std::vector<std::string>& objects);

}  // namespace penstock

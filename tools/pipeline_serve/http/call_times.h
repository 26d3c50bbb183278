// Where the time of one call went, for a client that asks: as the header
// Server-Timing, or as the last comment of a stream of events.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "pipeline_serve/http/reply.h"

namespace penstock::serve {

/// Any thread.
class CallTimes {
 public:
  explicit CallTimes(Time arrived) : arrived_(arrived) {}

  /// Of a phase; of several requests of the call the longest is kept.
  void longest(const std::string& phase, double milliseconds);
  /// The same, the shortest.
  void shortest(const std::string& phase, double milliseconds);
  /// "queue;dur=0.4, prompt;dur=31.0, total;dur=62.5": phases in the order they
  /// were named, and what has passed since the request arrived.
  [[nodiscard]] std::string text(Time now) const;

 private:
  double& phase(const std::string& name, double fallback);

  Time arrived_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, double>> phases_;
};

/// The same answer with its times: in a field Server-Timing, or of a stream of
/// events in a comment behind its last.
[[nodiscard]] std::shared_ptr<Reply> timed_reply(
    std::shared_ptr<Reply> reply, std::shared_ptr<CallTimes> times);

}  // namespace penstock::serve

// A pipeline as it is served: opened in the background, with a bounded queue,
// counted for /metrics. One for each name in /v1/models.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "penstock/runner.h"
#include "pipeline_serve/http/router.h"
#include "pipeline_serve/serving/metrics.h"
#include "pipeline_serve/serving/places.h"
#include "pipeline_serve/serving/trace_book.h"

namespace penstock::serve {

struct ServedOptions {
  std::int64_t max_queue = 64;  ///< requests that wait beyond those that run
  double timeout_s = 300;       ///< the longest deadline of a request; 0: none
  std::function<void(const Stall&)> on_stall;
  double stall_s = 10;         ///< until that is told; 0: only of late requests
  TraceBook* trace = nullptr;  ///< told of every request; null: no trace
};

/// Who looks at it or has a request in it holds a use() of it; it is destroyed
/// when there is none any more, and not by them: they may be its own threads.
class Served {
 public:
  Served(std::string name, CompositionFile file, ServedOptions options,
         Metrics& metrics);
  ~Served();
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  /// Counts while a copy of it lives.
  [[nodiscard]] std::shared_ptr<Served> use();
  [[nodiscard]] bool is_used() const { return *uses_ > 0; }
  /// Waits until nobody does; nobody may begin to.
  void wait_unused() const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const CompositionFile& file() const { return file_; }
  /// As fingerprint.h, of when it was made.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }
  /// Seconds since the epoch when it was named, as OpenAI's `created`.
  [[nodiscard]] std::int64_t created() const { return created_; }
  /// Opens the pipelines; throws Error. Once, on any thread.
  void open();
  [[nodiscard]] bool is_ready() const { return is_ready_; }
  /// Throws HttpError 503 while it is not open.
  [[nodiscard]] Runner& runner();

  /// Room for requests that were admitted, and a use; given back with the last
  /// copy.
  using Ticket = std::shared_ptr<void>;
  /// Room for `count` requests that the call makes, or HttpError 429 with
  /// Retry-After, or 503 where it is not ready or the server ends.
  [[nodiscard]] Ticket admit(const Call& call, std::int64_t count = 1);
  /// Submits an admitted request: with a deadline where it has none, for the
  /// client that asks, ended when that goes, counted. `sink` is called on a
  /// writer thread and must not wait. Throws Error(kData) or HttpError when its
  /// options are wrong (nothing ran yet).
  std::stop_source submit(Request request, std::shared_ptr<ResultSink> sink,
                          const Ticket& ticket, const Call& call);

  /// How many requests its last step runs together.
  [[nodiscard]] std::int64_t slots() const { return slots_; }
  /// Requests that were admitted and are not over.
  [[nodiscard]] std::int64_t active() const { return places_.taken(); }
  /// Those of them that have not begun for want of room.
  [[nodiscard]] std::int64_t waiting() const;
  /// Tokens that its steps have made so far, those of running requests too.
  [[nodiscard]] std::int64_t generated() const;
  /// Of a traced one, as Runner::trace_json(); empty while it is not open.
  [[nodiscard]] std::string trace_json() const;
  /// Nothing is admitted from now on.
  void close_door() { is_closed_ = true; }
  [[nodiscard]] bool is_closed() const { return is_closed_; }
  void cancel_all();

 private:
  [[nodiscard]] HttpError full() const;

  std::string name_;
  CompositionFile file_;
  std::string fingerprint_;
  ServedOptions options_;
  Metrics& metrics_;
  std::int64_t created_ = 0;
  std::int64_t slots_ = 1;  ///< requests that run together
  std::atomic<bool> is_ready_{false}, is_closed_{false};
  Places places_;
  /// Outlives this for the one who notifies.
  std::shared_ptr<std::atomic<std::int64_t>> uses_;
  std::unique_ptr<Runner> runner_;
};

}  // namespace penstock::serve

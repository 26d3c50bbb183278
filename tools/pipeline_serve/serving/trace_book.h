// --trace of a server: what its pipelines did, and each request with the trace
// that its client named, in one file for Chrome or Perfetto. A server runs for
// weeks, so the book keeps what is newest.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "penstock/pipeline.h"
#include "pipeline_serve/http/trace_parent.h"

namespace penstock::serve {

/// A request that is over.
struct TracedRequest {
  std::string id, model;
  std::optional<TraceParent> parent;
  Time arrived{}, submitted{}, ended{};
  Timing timing;  ///< since `submitted`
  std::string finish_reason;
};

/// Any thread.
class TraceBook {
 public:
  /// The most bytes of requests that are kept, and of pipelines that have
  /// ended; those that run keep their own.
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20U;

  explicit TraceBook(std::size_t most_bytes = kMostBytes)
      : most_bytes_(most_bytes) {}

  void request(const TracedRequest& request);
  /// What Runner::trace_json() gave of a pipeline that is closed.
  void keep(const std::string& trace_json);
  /// Everything, with the traces of those that run. Throws Error(kRetry) that
  /// names the file.
  void write(const std::filesystem::path& file,
             const std::vector<std::string>& running) const;

 private:
  void add(std::deque<std::string>& to, std::size_t& bytes, std::string text);

  std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::deque<std::string> requests_, closed_;
  std::size_t request_bytes_ = 0, closed_bytes_ = 0;
};

}  // namespace penstock::serve

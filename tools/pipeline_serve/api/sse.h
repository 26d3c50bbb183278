// Server-Sent Events: an answer that comes in pieces.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "pipeline_serve/http/reply.h"

namespace penstock::serve {

using OutJson = nlohmann::ordered_json;

/// On one line; bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string json_text(const OutJson& json);

/// One event, named or not.
[[nodiscard]] std::string sse_event(const OutJson& json,
                                    const std::string& name = {});

/// The error as plain HTTP where nothing has begun, else as an event, with
/// `last` behind it, that ends the stream.
void send_error(Reply& reply, const HttpError& error, const std::string& path,
                const std::string& last = {});

/// Begins its answer with the first event, so that what fails before is plain
/// HTTP. One thread at a time.
class EventStream {
 public:
  explicit EventStream(std::shared_ptr<Reply> reply)
      : reply_(std::move(reply)) {}

  void send(const OutJson& json, const std::string& name = {});
  /// The last bytes, as "data: [DONE]\n\n"; may be empty.
  void end(const std::string& last = {});
  [[nodiscard]] bool has_begun() const { return has_begun_; }

 private:
  void write(std::string bytes);

  std::shared_ptr<Reply> reply_;
  bool has_begun_ = false;
};

}  // namespace penstock::serve

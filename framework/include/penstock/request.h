// Request: one job for a pipeline, from submit() to the end of its Writer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "penstock/params.h"
#include "penstock/value.h"

namespace penstock {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

/// Immutable once submitted; any thread may read it.
struct Request {
  std::string id;
  std::map<std::string, Value> inputs;  ///< by name: text, image, audio, ...
  /// Overrides of per-request params: `max_new_tokens`, or
  /// `decode.max_new_tokens` where two stages share the name.
  std::map<std::string, Raw> options;
  std::optional<Time> deadline;
  /// Names a chat: when a request ends, its state is kept, while there is room,
  /// for the next with the same name, whose prompt begins with it. Empty: not.
  std::string session;

  // Set by submit():
  std::stop_token stop;  ///< requested when somebody cancels
  /// Of a composition: the step it is for, and which of that step's requests.
  std::string step;
  std::int64_t index = 0;
  /// Per stage of the pipeline: its params with this request's options.
  std::vector<std::shared_ptr<const void>> checked;
};

/// The text input of that name; throws Error(kData) when it is not there, not
/// text, or not UTF-8 (naming the position).
[[nodiscard]] PENSTOCK_API const std::string& text_input(
    const Request& request, const std::string& name = "text");

}  // namespace penstock

// Stall: what the runtime tells of a stage that does not return.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace penstock {

/// How full one of a pipeline's queues is.
struct QueueFill {
  std::string name;  ///< "waiting for preprocess"
  std::size_t count = 0;
  std::size_t most = 0;  ///< beyond which it makes others wait; 0: no limit
};

/// A call into a stage that has not returned for long.
struct Stall {
  std::string place;    ///< "stage 'forward' (gemma.forward)"
  std::string request;  ///< its id; empty: none, as while a stage is opened
  double seconds = 0;   ///< since the call began, or last pushed or emitted
  /// The request's deadline is long past, or it was cancelled long ago, and
  /// nothing else goes on: waiting for the end is in vain.
  bool is_late = false;
  bool is_cancelled = false;  ///< somebody asked the request to stop
  /// The request's deadline has passed while the call went on.
  bool is_overdue = false;
  /// Where the thread is, innermost first: a line of symbol or library and
  /// offset each. Empty where that cannot be found out.
  std::vector<std::string> stack = {};
  std::vector<QueueFill> queues = {};  ///< of its pipeline
};

}  // namespace penstock

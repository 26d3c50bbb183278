// Stall: what the runtime tells of a stage that does not return.
#pragma once

#include <string>

namespace penstock {

/// A call into a stage that has not returned for long.
struct Stall {
  std::string place;    ///< "stage 'forward' (gemma.forward)"
  std::string request;  ///< its id; empty: none, as while a stage is opened
  double seconds = 0;   ///< since the call began, or last pushed or emitted
  /// The request's deadline is long past, or it was cancelled long ago, and
  /// nothing else goes on: waiting for the end is in vain.
  bool is_late = false;
  bool is_cancelled = false;  ///< somebody asked the request to stop
};

}  // namespace penstock

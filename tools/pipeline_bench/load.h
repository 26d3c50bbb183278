// One run of a pipeline under a load, timed as its users see it: from the
// moment a request is sent to the pieces that come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/runner.h"

namespace penstock::bench {

/// Requests at the same time, or as they come.
struct Load {
  int batch = 0;     ///< together; 0: at a rate
  double rate = 0;   ///< a second, at exponential gaps: a Poisson process
  int requests = 0;  ///< of a run

  [[nodiscard]] bool is_open() const { return batch == 0; }
  /// "8 at a time", "2.5/s".
  [[nodiscard]] std::string text() const;
};

/// One request's times in milliseconds. At a rate they count from when it was
/// to be sent, so that a sender who is late hides nothing.
struct Timed {
  double first_ms = 0;                  ///< until the first piece
  double whole_ms = 0;                  ///< until the last
  double wait_ms = 0;                   ///< until its first step began
  std::vector<double> between_ms = {};  ///< between pieces that came one by one
  std::int64_t prompt_tokens = 0, new_tokens = 0;
  double prefill_ms = 0, decode_ms = 0;  ///< as Timing
};

struct Run {
  Time begin, end;
  std::vector<Timed> requests;
  Stats stats;  ///< of this run alone
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(end - begin).count();
  }
};

/// When each of `count` requests is sent, in seconds; the same for the same
/// seed, so that variants get the same arrivals.
[[nodiscard]] std::vector<double> arrivals(double rate, int count,
                                           std::uint64_t seed);

/// Runs the requests, taken in turns, and waits for all. Throws the first error
/// of one.
[[nodiscard]] Run run_once(Runner& runner, const std::vector<Request>& requests,
                           const Load& load, std::uint64_t seed);

}  // namespace penstock::bench

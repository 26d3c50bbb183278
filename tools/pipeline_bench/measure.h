// Times a pipeline as its users see it: from submit() to the pieces that come.
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/runner.h"

namespace penstock::bench {

/// One request's times in milliseconds.
struct Timed {
  double first_ms = 0;             ///< submit() until the first piece
  double whole_ms = 0;             ///< submit() until the last
  std::vector<double> between_ms;  ///< between pieces that came one by one
  std::int64_t prompt_tokens = 0, new_tokens = 0;
  double prefill_ms = 0, decode_ms = 0;  ///< as Timing
};

/// Several runs of the same requests at the same time.
struct Measured {
  int batch = 0;                ///< requests at a time
  std::vector<Timed> requests;  ///< of every run
  std::vector<double> run_s;    ///< of each run, until all were done
  Stats stats;                  ///< of all runs
};

struct Plan {
  std::vector<Request> requests;  ///< taken in turns
  int runs = 5, warmup = 1;
};

/// Throws the first error of a request.
[[nodiscard]] Measured measure(Runner& runner, const Plan& plan, int batch);

/// The value that a share of them, 0..1, does not exceed: linear between the
/// ordered values, as numpy.percentile. 0 for none.
[[nodiscard]] double percentile(std::vector<double> values, double share);

}  // namespace penstock::bench

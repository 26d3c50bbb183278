// Rounds: variants measured in turns, A B C A B C, so that what else the
// machine does meets them alike and their times can be compared in pairs.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline_bench/load.h"
#include "pipeline_bench/steps.h"

namespace penstock::bench {

/// A variant under a load.
struct Measured {
  Load load;
  std::vector<Run> runs;   ///< every one, the warm-up first
  std::size_t warmup = 0;  ///< how many of them are
  bool is_steady = true;   ///< false: the warm-up did not end in time
  StepCounts steps;        ///< of the warm ones

  [[nodiscard]] std::span<const Run> warm() const {
    return std::span(runs).subspan(warmup);
  }
  /// Of every warm run's requests.
  [[nodiscard]] std::vector<double> each(double (*take)(const Timed&)) const;
  /// Between pieces of answers with tokens.
  [[nodiscard]] std::vector<double> gaps() const;
  /// Of each warm run.
  [[nodiscard]] std::vector<double> run_s() const;
  /// Of all warm runs together.
  [[nodiscard]] Stats stats() const;
};

struct Rounds {
  int runs = 5;  ///< warm ones
  std::optional<int> warmup =
      {};  ///< rounds before; unset: found, see warm_from()
};

/// Where no number is given, rounds go on until `runs` of them lie behind every
/// variant's warm-up, and no longer than this many more.
inline constexpr int kMostWarmup = 10;

/// Runs the variant of that number once; the round is the seed.
using RunVariant = std::function<Run(std::size_t variant, std::uint64_t round)>;

/// All variants under one load; steps are not counted yet.
[[nodiscard]] std::vector<Measured> measure(std::size_t variants,
                                            const Load& load,
                                            const Rounds& rounds,
                                            const RunVariant& run);

/// What can be compared: a name, and a value of each warm run, less is better.
struct Metric {
  std::string name;
  std::vector<double> (*of)(const Measured&);
};
/// Those that the measured have: no run's time at a rate, no time between
/// tokens without tokens.
[[nodiscard]] std::vector<Metric> metrics(const Measured& measured);

}  // namespace penstock::bench

// Counters and histograms for /metrics, in Prometheus' text format, and for the
// words at the end.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "penstock/request.h"

namespace penstock::serve {

/// Seconds, in buckets from a millisecond to 40 s.
class Histogram {
 public:
  static constexpr std::array kBounds{0.001, 0.005, 0.01, 0.02, 0.04, 0.06,
                                      0.08,  0.1,   0.25, 0.5,  0.75, 1.0,
                                      2.5,   5.0,   7.5,  10.0, 20.0, 40.0};
  void add(double seconds);
  [[nodiscard]] std::int64_t count() const;
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] double mean() const;  ///< 0: of nothing
  /// Seconds that the share `q` (0 to 1) of all was below, within 3 %; 0: of
  /// nothing.
  [[nodiscard]] double quantile(double q) const;
  /// Its lines; `labels` as 'model_name="a"'.
  [[nodiscard]] std::string text(const std::string& name,
                                 const std::string& labels) const;

 private:
  /// Each 5 % wider than the one before: from 10 microseconds to an hour.
  static constexpr std::size_t kFine = 405;

  std::array<std::int64_t, kBounds.size() + 1> counts_{};
  std::array<std::int32_t, kFine> fine_{};
  double sum_ = 0;
};

/// Of one pipeline; any thread.
class Metrics {
 public:
  struct Of {
    std::int64_t requests = 0, failed = 0, cancelled = 0, refused = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t cached_tokens = 0;  ///< of the prompts', those found computed
    std::int64_t prefix_hits = 0;    ///< requests that found some
    Histogram first_token, between_tokens, whole;

    void begin(Time now);
    void end(Time now);
    /// Seconds in which a request ran.
    [[nodiscard]] double busy_s(Time now) const;

   private:
    std::int64_t running_ = 0;
    double busy_s_ = 0;
    Time since_{};  ///< when the first of those that run began
  };
  /// Calls `change(Of&)` under the lock.
  template <class Change>
  void of(const std::string& model, const Change& change) {
    const std::scoped_lock lock(mutex_);
    change(models_[model]);
  }
  /// Reads all of them under the lock.
  template <class Look>
  void each(const Look& look) const {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, of] : models_) look(name, of);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Of> models_;
};

}  // namespace penstock::serve

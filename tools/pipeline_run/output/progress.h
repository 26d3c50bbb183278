// A line on the terminal that says how far a job is, and for how long still.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace penstock::run {

/// Not for several threads at once.
class Progress {
 public:
  /// `total`: of requests, where it is known.
  Progress(bool is_on, std::optional<std::size_t> total)
      : is_on_(is_on), total_(total) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void count_done(bool is_failed);
  /// Draws the line, at most ten times a second. The cursor must stand at the
  /// start of a line; it stays there.
  void draw();
  /// Takes the line away before something else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  bool is_on_;
  std::optional<std::size_t> total_;
  std::size_t done_ = 0, failed_ = 0;
  std::size_t width_ = 0;  ///< of the line that is drawn
  Clock::time_point start_ = Clock::now(), drawn_;
};

}  // namespace penstock::run

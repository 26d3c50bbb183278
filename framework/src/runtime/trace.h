// Trace: what ran when on which thread, as Chrome/Perfetto trace events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "penstock/request.h"

namespace penstock {

/// Any thread may add. Does nothing unless enabled. Times are those of Clock,
/// so that traces of one machine can be laid side by side.
class Trace {
 public:
  /// The most events that are kept, some 30 MB: of more, the newest. Names of
  /// threads and processes are always kept.
  static constexpr std::size_t kMostEvents = std::size_t{1} << 17U;

  /// `process`: its number among several traces that are shown together.
  explicit Trace(bool is_enabled, int process = 1,
                 std::size_t most_events = kMostEvents);

  [[nodiscard]] bool is_enabled() const { return is_enabled_; }
  /// `args`: the inside of a JSON object, or "".
  void span(const char* name, Time begin, Time end, const std::string& args);
  void count(const std::string& name, std::int64_t value);
  /// Names the calling thread in the picture.
  void name_thread(const std::string& name);
  /// Names the pipeline in a picture of several.
  void name_process(const std::string& name);
  [[nodiscard]] std::string json() const;
  /// What stands between the brackets of json().
  [[nodiscard]] std::string events() const;

 private:
  void add(std::string event);
  void add_name(std::string event);
  [[nodiscard]] static double micros(Time time);

  bool is_enabled_;
  int process_;
  std::size_t most_events_;
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
  std::deque<std::string> events_;
};

}  // namespace penstock

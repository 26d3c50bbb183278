// Trace: what ran when on which thread, as Chrome/Perfetto trace events.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "penstock/request.h"

namespace penstock {

/// Any thread may add. Does nothing unless enabled.
class Trace {
 public:
  explicit Trace(bool is_enabled) : is_enabled_(is_enabled) {}

  [[nodiscard]] bool is_enabled() const { return is_enabled_; }
  /// `args`: the inside of a JSON object, or "".
  void span(const char* name, Time begin, Time end, const std::string& args);
  void count(const std::string& name, std::int64_t value);
  /// Names the calling thread in the picture.
  void name_thread(const std::string& name);
  [[nodiscard]] std::string json() const;

 private:
  void add(std::string event);
  [[nodiscard]] double micros(Time time) const;

  bool is_enabled_;
  Time start_ = Clock::now();
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

}  // namespace penstock

// Watchdog: notices stages that do not return, and deadlines that pass or
// requests that are cancelled while nobody looks at them.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "penstock/stall.h"
#include "threads/calls.h"

namespace penstock {

class Watchdog {
 public:
  struct Rules {
    double stall_s = 10;  ///< as PipelineOptions
    /// The call that does not return, and whether it is told of first.
    std::function<void(const Stall&, const calls::Seen&, bool is_first)> tell;
    std::function<void()> look_at_clocks;  ///< of requests in flight
  };
  /// Watches the calls of `owner` until it is destroyed.
  Watchdog(const void* owner, Rules rules);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  /// What was told of a thread's call.
  struct Told {
    Time since{};
    std::optional<Time> cancelled = std::nullopt;  ///< when first seen
    double next_s = 0;                             ///< when to tell again
    bool is_late_told = false;
    bool is_overdue_told = false;
    bool is_told = false;
  };
  void run();
  void look(Time now);
  void look_at(const calls::Seen& call, Told& told, Time now);
  [[nodiscard]] Stall seen(const calls::Seen& call, const Told& told,
                           Time now) const;

  const void* owner_;
  Rules rules_;
  std::map<const void*, Told> told_;  ///< by thread
  std::int64_t moves_ = 0;
  Time moved_ = Clock::now();  ///< when something last went on

  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace penstock

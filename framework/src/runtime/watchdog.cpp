#include "runtime/watchdog.h"

#include <algorithm>
#include <utility>

namespace penstock {
namespace {

constexpr auto kLook = std::chrono::milliseconds(100);
/// How long a deadline may be past or a request cancelled, and how long nothing
/// may go on, before a call counts as late: a step that began in time is let
/// end.
constexpr auto kGrace = std::chrono::seconds(5);
/// The same before it is told of: a step ends its requests when it returns.
constexpr auto kSoon = std::chrono::milliseconds(500);

}  // namespace

Watchdog::Watchdog(const void* owner, Rules rules)
    : owner_(owner), rules_(std::move(rules)), thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kLook, [&] { return is_stopping_; })) {
    lock.unlock();
    rules_.look_at_clocks();
    look(Clock::now());
    lock.lock();
  }
}

void Watchdog::look(Time now) {
  const std::int64_t moves = calls::moves();
  if (std::exchange(moves_, moves) != moves) moved_ = now;
  std::map<const void*, Told> told;
  for (const calls::Seen& call : calls::of(owner_)) {
    Told& it = told[call.id] = told_[call.id];
    if (it.since != call.since) it = {.since = call.since};
    if (call.is_cancelled && !it.cancelled) it.cancelled = now;
    look_at(call, it, now);
  }
  told_ = std::move(told);
}

/// What can be said of a call.
Stall Watchdog::seen(const calls::Seen& call, const Told& told,
                     Time now) const {
  const auto lasted = now - call.since;
  Stall stall{.place = call.place,
              .request = call.request,
              .seconds = std::chrono::duration<double>(lasted).count()};
  const Time deadline = call.deadline.value_or(Time::max() - kGrace);
  const Time cancelled = told.cancelled.value_or(Time::max() - kGrace);
  // A deadline that passes cancels its request, too.
  stall.is_cancelled = cancelled < deadline;
  stall.is_overdue = now >= deadline + kSoon && lasted >= kSoon;
  stall.is_late = now >= std::min(deadline, cancelled) + kGrace &&
                  lasted >= kGrace && now >= moved_ + kGrace;
  return stall;
}

void Watchdog::look_at(const calls::Seen& call, Told& told, Time now) {
  Stall stall = seen(call, told, now);
  const bool is_late = stall.is_late && !std::exchange(told.is_late_told, true);
  const bool is_overdue = rules_.stall_s > 0 && stall.is_overdue &&
                          !std::exchange(told.is_overdue_told, true);
  const bool is_long = rules_.stall_s > 0 &&
                       stall.seconds >= std::max(told.next_s, rules_.stall_s);
  if (!is_late && !is_overdue && !is_long) return;
  stall.is_late = is_late;
  if (is_long) told.next_s = 2 * stall.seconds;
  rules_.tell(stall, call, !std::exchange(told.is_told, true));
}

}  // namespace penstock

#include "runtime/team_choice.h"

#include <ctime>

namespace penstock {
namespace {

constexpr std::int64_t kMicro = 1000;
/// One thread does it in so little: a team is not worth waking.
constexpr std::int64_t kSmall = 500 * kMicro;
/// With a team, its caller alone took more: one thread would take far longer.
constexpr std::int64_t kLarge = 5000 * kMicro;
/// The first steps also load and make what later ones find.
constexpr int kLooks = 3;

/// Nanoseconds that this thread computed.
std::int64_t own_time() {
  timespec now{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

TeamChoice::Look::Look(State& state) : state_(state), start_(own_time()) {
  if (threads() == 1) state_.kind = Kind::kTeam;
}

TeamChoice::Look::~Look() {
  const std::int64_t took = own_time() - start_;
  const bool is_last = ++state_.looks >= kLooks;
  if (state_.kind == Kind::kLooksAtTeam) {
    if (took <= kLarge) {
      state_ = {.kind = Kind::kTriesSerial, .looks = 0};
    } else if (is_last) {
      state_.kind = Kind::kTeam;
    }
  } else if (state_.kind == Kind::kTriesSerial) {
    if (took <= kSmall) {
      state_.kind = Kind::kSerial;
    } else if (is_last || took > 4 * kSmall) {
      state_.kind = Kind::kTeam;
    }
  }
}

}  // namespace penstock

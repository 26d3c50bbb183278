#include "plugin/float_state.h"

#include <array>
#include <cstdint>

namespace penstock::plugin {

namespace {

/// What decides over results, without the flags that results leave behind.
std::array<std::uint32_t, 2> controls(const std::fenv_t& state) {
#if defined(__x86_64__)
  constexpr std::uint32_t kFlags = 0x3f;
  return {state.__control_word, state.__mxcsr & ~kFlags};
#elif defined(__aarch64__)
  return {static_cast<std::uint32_t>(state.__fpcr), 0};
#endif
}

}  // namespace

KeptFloatState::KeptFloatState() { std::fegetenv(&before_); }

KeptFloatState::~KeptFloatState() { std::fesetenv(&before_); }

bool KeptFloatState::has_changed() const {
  std::fenv_t now{};
  std::fegetenv(&now);
  return controls(now) != controls(before_);
}

}  // namespace penstock::plugin

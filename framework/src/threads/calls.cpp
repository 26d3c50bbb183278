#include "threads/calls.h"

#include <signal.h>  // NOLINT(*-deprecated-headers): sigaltstack is of POSIX

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "threads/stack.h"

namespace penstock::calls {
namespace {

/// More threads than that are not listed; each still knows its own call.
constexpr std::size_t kListed = 256;
/// A handler's frame is some kilobytes with the widest registers.
constexpr std::size_t kStackBytes = std::size_t{64} << 10U;

// NOLINTBEGIN(*-avoid-non-const-global-variables): one list for the process,
// which signal handlers read, and a thread's own place in it
std::array<std::atomic<Call*>, kListed> listed{};
std::mutex listed_mutex;  ///< a call is not destroyed while it is looked at
std::atomic<std::int64_t> move_count{0};
At ended_in{};  ///< written by exit() alone, which ends its own thread first
// Initial-exec: a handler may not allocate a thread's storage.
[[gnu::tls_model("initial-exec")]] thread_local constinit Call* own_call =
    nullptr;
// NOLINTEND(*-avoid-non-const-global-variables)

void replace(Call* from, Call* to) {
  const std::scoped_lock lock(listed_mutex);
  const auto found =
      std::find_if(listed.begin(), listed.end(),
                   [&](const auto& each) { return each == from; });
  if (found != listed.end()) *found = to;
}

}  // namespace

Call::Call() : thread(syscall(SYS_gettid)) {
  replace(nullptr, this);
  own_call = this;
  stack_t old{};
  if (sigaltstack(nullptr, &old) != 0) return;
  if ((old.ss_flags & SS_DISABLE) == 0) return;
  stack.resize(kStackBytes);
  const stack_t ours{
      .ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
  (void)sigaltstack(&ours, nullptr);
}

Call::~Call() {
  if (at.place != nullptr) ended_in = at;
  own_call = nullptr;
  replace(this, nullptr);
  if (stack.empty()) return;
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  (void)sigaltstack(&none, nullptr);
}

Call* own() noexcept { return own_call; }

const At* ended() noexcept {
  return ended_in.place != nullptr ? &ended_in : nullptr;
}

Call& mine() {
  thread_local Call call;
  return call;
}

Scope::Scope(const void* owner, const Request* request) : call_(mine()) {
  before_ = call_.at;
  At now = before_;
  now.owner = owner;
  now.request = request;
  set(now);
}

Scope::Scope(const Place& place) : call_(mine()) {
  before_ = call_.at;
  At now = before_;
  now.place = &place;
  now.since = Clock::now();
  set(now);
}

Scope::Scope() : call_(mine()) {
  before_ = call_.at;
  At now = before_;
  now.place = nullptr;
  set(now);
}

Scope::~Scope() {
  if (before_.place != nullptr) before_.since = Clock::now();
  set(before_);
}

void Scope::set(const At& at) const {
  const std::scoped_lock lock(call_.mutex);
  call_.at = at;
}

Watched::Watched(const StageCall& call)
    : call_(mine()), before_(call_.at.call) {
  const std::scoped_lock lock(call_.mutex);
  call_.at.call = &call;
}

Watched::~Watched() {
  const std::scoped_lock lock(call_.mutex);
  call_.at.call = before_;
}

Helping::Helping(Call* other) noexcept : before_(own_call) { own_call = other; }
Helping::~Helping() { own_call = before_; }

std::vector<Seen> of(const void* owner) {
  std::vector<Seen> found;
  const std::scoped_lock all(listed_mutex);
  for (const auto& each : listed) {
    Call* const call = each;
    if (call == nullptr) continue;
    const std::scoped_lock lock(call->mutex);
    const At& at = call->at;
    if (at.owner != owner || at.place == nullptr) continue;
    Seen& seen = found.emplace_back();
    seen.id = call;
    seen.place = at.place->text();
    seen.stage = at.place->name;
    seen.thread = call->thread;
    seen.since = at.since;
    if (at.request == nullptr) continue;
    seen.request = at.request->id;
    seen.deadline = at.request->deadline;
    seen.is_cancelled = at.request->stop.stop_requested();
  }
  return found;
}

namespace {

/// The thread's call, locked, where it still is at what was seen; else null.
Call* locked(const Seen& seen, std::unique_lock<std::mutex>& lock) {
  const std::scoped_lock all(listed_mutex);
  for (const auto& each : listed) {
    Call* const call = each;
    if (call == nullptr || call != seen.id) continue;
    lock = std::unique_lock(call->mutex);
    const bool is_same =
        call->at.place != nullptr && call->at.since == seen.since;
    return is_same ? call : nullptr;
  }
  return nullptr;
}

}  // namespace

void look(const Seen& seen, const std::function<void(const At&)>& visit) {
  // A thread that is in a stage cannot end before it has this lock.
  std::unique_lock<std::mutex> lock;
  const Call* const call = locked(seen, lock);
  if (call != nullptr) visit(call->at);
}

std::vector<std::string> stack_of(const Seen& seen) {
  std::unique_lock<std::mutex> lock;
  const Call* const call = locked(seen, lock);
  if (call == nullptr) return {};
  return stack_of_thread(call->thread);
}

void each(void (*visit)(const At& at, void* with), void* with) noexcept {
  for (const auto& each : listed) {
    const Call* const call = each;
    if (call != nullptr && call->at.place != nullptr) visit(call->at, with);
  }
}

void moved() noexcept { move_count.fetch_add(1, std::memory_order_relaxed); }
std::int64_t moves() noexcept {
  return move_count.load(std::memory_order_relaxed);
}

}  // namespace penstock::calls

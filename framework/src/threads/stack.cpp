#include "threads/stack.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <semaphore.h>
#include <signal.h>  // NOLINT(*-deprecated-headers): sigaction is of POSIX
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <sstream>

namespace penstock {
namespace {

constexpr int kMostFrames = 64;
/// The handler's own frame and the kernel's that returns from it.
constexpr int kOwnFrames = 2;
constexpr long kPatience = 200'000'000;  ///< nanoseconds

/// A question that one thread answers; for a signal handler.
struct Question {
  enum State : int { kNone, kAsked, kAnswering };
  std::atomic<int> state{kNone};
  std::atomic<long> thread{0};
  std::array<void*, kMostFrames> frames{};
  int count = 0;
  sem_t answered{};
};
// NOLINTNEXTLINE(*-avoid-non-const-global-variables): a handler has no other
Question question;

int signal_number() { return SIGRTMIN + 6; }

/// A thread that answers too late finds no question.
void answer(int /*signal*/) {
  const int before = errno;
  int asked = Question::kAsked;
  const bool is_ours =
      question.thread == syscall(SYS_gettid) &&
      question.state.compare_exchange_strong(asked, Question::kAnswering);
  if (is_ours) {
    question.count = backtrace(question.frames.data(), kMostFrames);
    (void)sem_post(&question.answered);
  }
  errno = before;
}

/// False: the signal is somebody else's.
bool listen() {
  std::array<void*, 2> first{};
  (void)backtrace(first.data(), 2);  // loads what a handler must not
  (void)sem_init(&question.answered, 0, 0);
  struct sigaction before {};
  if (sigaction(signal_number(), nullptr, &before) != 0) return false;
  if (before.sa_handler != SIG_DFL) return false;
  struct sigaction ours {};
  ours.sa_handler = answer;
  ours.sa_flags = static_cast<int>(SA_RESTART | SA_ONSTACK);
  sigemptyset(&ours.sa_mask);
  return sigaction(signal_number(), &ours, nullptr) == 0;
}

std::string readable(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 && text ? text.get() : name;
}

std::string line_of(void* address) {
  Dl_info found{};
  std::ostringstream out;
  if (dladdr(address, &found) == 0 || found.dli_fname == nullptr) {
    out << address;
    return out.str();
  }
  const std::string path = found.dli_fname;
  const auto offset = reinterpret_cast<std::uintptr_t>(address) -
                      reinterpret_cast<std::uintptr_t>(found.dli_fbase);
  std::ostringstream place;
  place << path.substr(path.rfind('/') + 1) << "+0x" << std::hex << offset;
  if (found.dli_sname == nullptr) return place.str();
  out << readable(found.dli_sname) << " (" << place.str() << ")";
  return out.str();
}

bool wait_for_answer() {
  timespec until{};
  (void)clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += kPatience;
  until.tv_sec += until.tv_nsec / 1'000'000'000;
  until.tv_nsec %= 1'000'000'000;
  for (;;) {
    if (sem_timedwait(&question.answered, &until) == 0) return true;
    if (errno != EINTR) break;
  }
  int asked = Question::kAsked;
  if (question.state.compare_exchange_strong(asked, Question::kNone)) {
    return false;
  }
  // It has begun: that takes microseconds.
  while (sem_wait(&question.answered) != 0) {
  }
  return true;
}

}  // namespace

std::vector<std::string> stack_of_thread(long thread) {
  static std::mutex one_at_a_time;
  const std::scoped_lock lock(one_at_a_time);
  static const bool can_ask = listen();
  if (!can_ask) return {};
  question.thread = thread;
  question.state = Question::kAsked;
  if (syscall(SYS_tgkill, getpid(), thread, signal_number()) != 0) {
    question.state = Question::kNone;
    return {};
  }
  if (!wait_for_answer()) return {};
  std::vector<std::string> lines;
  for (int i = kOwnFrames; i < question.count; ++i) {
    lines.push_back(line_of(question.frames.at(static_cast<std::size_t>(i))));
  }
  question.state = Question::kNone;
  return lines;
}

}  // namespace penstock

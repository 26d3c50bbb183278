// Nothing here may allocate or lock: what it is called for may have happened in
// the midst of either.
#include "penstock/crash.h"

#include <signal.h>  // NOLINT(*-deprecated-headers): sigaction is of POSIX
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "penstock/error.h"
#include "threads/calls.h"

namespace penstock {
namespace {

struct Signal {
  int number;
  std::string_view name;
};
constexpr std::array kSignals{
    Signal{SIGSEGV, "SIGSEGV (it used memory that is not its own)"},
    Signal{SIGBUS, "SIGBUS (a mapped file is shorter than it was)"},
    Signal{SIGABRT, "SIGABRT"},
    Signal{SIGFPE, "SIGFPE (an integer was divided by 0)"},
    Signal{SIGILL, "SIGILL (the processor does not know the instruction)"}};

/// A line of text without an allocation; what is too long is cut.
class Line {
 public:
  Line& operator<<(std::string_view text) {
    for (const char c : text) {
      if (size_ == text_.size()) return *this;
      // An id may hold whatever a user wrote.
      text_[size_++] = c >= ' ' && c != '\x7F' ? c : '?';
    }
    return *this;
  }
  void write() {
    text_[size_ < text_.size() ? size_ : size_ - 1] = '\n';
    const auto count = size_ < text_.size() ? size_ + 1 : size_;
    (void)!::write(STDERR_FILENO, text_.data(), count);
  }

 private:
  std::array<char, 1024> text_{};
  std::size_t size_ = 0;
};

// NOLINTBEGIN(*-avoid-non-const-global-variables): for handlers
const char* program_name = "";
std::array<char, 256> uncaught{};  ///< what std::terminate was called for
// NOLINTEND(*-avoid-non-const-global-variables)

void tell(Line& line, const calls::At& at) {
  // As Place::text() of a stage, which allocates.
  line << "stage '" << at.place->name << "' (" << at.place->detail << ")";
  if (at.request != nullptr) line << ", request '" << at.request->id << "'";
}

/// Where it happened; else, since threads of libtorch's own belong to nobody,
/// what else was going on.
void tell_where(Line& line) {
  const calls::Call* const own = calls::own();
  if (own != nullptr && own->at.place != nullptr) {
    line << " in ";
    tell(line, own->at);
    line << "; that is for the stage's author to mend";
    return;
  }
  line << " in no stage's own thread";
  const auto add = [](const calls::At& at, void* with) {
    auto& to = *static_cast<Line*>(with);
    to << "; running: ";
    tell(to, at);
  };
  calls::each(add, &line);
}

void handle(int number) {
  Line line;
  line << program_name << ": ";
  if (number == SIGABRT && uncaught[0] != '\0') {
    line << uncaught.data();
  } else {
    for (const Signal& each : kSignals) {
      if (each.number == number) line << each.name;
    }
  }
  tell_where(line);
  line.write();
  // The action is the default one again: it dies by the same signal.
  (void)raise(number);
}

/// A stage may not end the process, whose other requests would go with it.
void tell_exit() {
  const calls::At* const at = calls::ended();
  if (at == nullptr) return;
  Line line;
  line << program_name << ": exit() was called in ";
  tell(line, *at);
  line << "; throw an Error instead: that ends its request alone";
  line.write();
  ::_exit(static_cast<int>(Code::kInternal));
}

void note(std::string_view text) {
  const auto used = std::string_view(uncaught.data()).size();
  const auto room = uncaught.size() - 1 - used;
  text.substr(0, room).copy(uncaught.data() + used, room);
}

/// Instead of the library's, which prints a line of its own.
[[noreturn]] void end() {
  note("an exception that nobody catches");
  try {
    if (std::current_exception()) throw;
  } catch (const std::exception& error) {
    note(": ");
    note(error.what());
  } catch (...) {
    note(" of an unknown type");
  }
  std::abort();
}

}  // namespace

void report_crashes(const char* program) {
  program_name = program;
  (void)calls::mine();  // a stack for this thread's handlers
  for (const Signal& each : kSignals) {
    struct sigaction before {};
    const bool is_known = sigaction(each.number, nullptr, &before) == 0;
    if (!is_known || before.sa_handler != SIG_DFL) continue;
    struct sigaction ours {};
    ours.sa_handler = handle;
    ours.sa_flags = static_cast<int>(SA_RESETHAND | SA_ONSTACK);
    sigemptyset(&ours.sa_mask);
    (void)sigaction(each.number, &ours, nullptr);
  }
  std::set_terminate(end);
  (void)std::atexit(tell_exit);
}

}  // namespace penstock

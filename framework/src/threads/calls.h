// Calls: which stage each thread is in, for the watchdog and for the last words
// of a program that crashes.
//
// Every thread has one Call. in_stage() writes it on the way in and restores it
// on the way out, some ten nanoseconds each.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "penstock/request.h"

namespace penstock {
struct StageCall;
}

namespace penstock::calls {

/// What a thread is at. Pointers are good as long as the scope that set them.
struct At {
  const void* owner = nullptr;       ///< the pipeline
  const Request* request = nullptr;  ///< null: of none
  const Place* place = nullptr;      ///< null: in no stage
  const StageCall* call = nullptr;   ///< null: nobody watches it
  Time since{};
};

/// A thread's own.
struct Call {
  Call();
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  std::mutex mutex;  ///< a signal handler reads its own thread's without it
  At at;
  const long thread;        ///< its number, for signals
  std::vector<char> stack;  ///< for signal handlers, where none was there
};

/// The calling thread's, or null while it has none; for signal handlers.
[[nodiscard]] Call* own() noexcept;
/// What a thread was at that ended in the midst of a stage, as exit() lets it;
/// null: none has. For what runs at the end of a process.
[[nodiscard]] const At* ended() noexcept;
/// The calling thread's; made where there is none.
[[nodiscard]] Call& mine();

/// Changes what the thread is at, until its end. What was interrupted begins
/// anew: a stage whose push() came back has not been silent.
class Scope {
 public:
  /// Work for a pipeline, and for a request where that is known.
  Scope(const void* owner, const Request* request);
  /// In a stage; `place` must outlive the scope.
  explicit Scope(const Place& place);
  /// Out of the stage: it waits for us.
  Scope();
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  void set(const At& at) const;

  Call& call_;
  At before_;
};

/// What the thread is at is watched, until the end of the scope.
class Watched {
 public:
  explicit Watched(const StageCall& call);
  ~Watched();
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  Call& call_;
  const StageCall* before_;
};

/// For a thread that helps another: crashes are told as of that one's stage.
class Helping {
 public:
  explicit Helping(Call* other) noexcept;
  ~Helping();
  Helping(const Helping&) = delete;
  Helping& operator=(const Helping&) = delete;

 private:
  Call* before_;
};

/// A call in progress, as copied for another thread.
struct Seen {
  const void* id = nullptr;  ///< of the thread
  std::string place, request;
  std::string stage;  ///< the place's name: "forward"
  long thread = 0;    ///< its number
  std::optional<Time> deadline;
  bool is_cancelled = false;  ///< the request is
  Time since{};
};
/// The stages of a pipeline that threads are in.
[[nodiscard]] std::vector<Seen> of(const void* owner);
/// Calls `visit` with what the thread is at, which stays as it is meanwhile: a
/// stage that returns waits. Nothing where it is at it no longer.
void look(const Seen& seen, const std::function<void(const At&)>& visit);
/// Where the thread is, innermost first; empty where that cannot be found out.
[[nodiscard]] std::vector<std::string> stack_of(const Seen& seen);

/// Of every thread, without locks; for signal handlers.
void each(void (*visit)(const At& at, void* with), void* with) noexcept;

/// Something went on: a step ended, an item was pushed, a result written.
void moved() noexcept;
[[nodiscard]] std::int64_t moves() noexcept;

}  // namespace penstock::calls

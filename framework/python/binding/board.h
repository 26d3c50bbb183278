// Board: what an engine and its calls share: how many are in flight, and who
// wants to hear of it. Knows nothing of Python.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace penstock::python {

/// Tells an event loop that something happened, by a file descriptor: the
/// engine's threads never call Python. Thread-safe.
class Watch {
 public:
  Watch();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Readable while there is something to take.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  void tell(std::int64_t number);
  /// The numbers told since the last time, each once.
  [[nodiscard]] std::vector<std::int64_t> take();

 private:
  int descriptor_;
  std::mutex mutex_;
  std::vector<std::int64_t> told_;
};

/// What a Watch is told when there is room for another call.
inline constexpr std::int64_t kRoom = 0;

class Board {
 public:
  explicit Board(int most) : most_(most) {}

  /// Takes a place where there is one; else `watch`, if any, is told of room.
  [[nodiscard]] bool enter(const std::shared_ptr<Watch>& watch);
  void leave();
  /// Waits a twentieth of a second at most; true: there may be room.
  [[nodiscard]] bool wait_for_room();
  /// Wakes everybody who waits, for good.
  void close();
  [[nodiscard]] bool is_closed();
  [[nodiscard]] int in_flight();

 private:
  const int most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_flight_ = 0;
  bool is_closed_ = false;
  std::vector<std::shared_ptr<Watch>> waiting_;
};

}  // namespace penstock::python

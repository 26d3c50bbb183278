// Fibers: functions that take turns on one thread, each with its own stack. The
// block simulator runs a kernel's threads as these.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace penstock::gpu {

class Fibers {
 public:
  /// What each fiber runs; must not throw.
  using Body = std::function<void(int fiber)>;

  Fibers();
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;
  ~Fibers();

  /// Makes fibers 0 to count - 1 ready to run `body` from its beginning. Ones
  /// that did not end are forgotten: nothing on their stacks is destroyed.
  void start(int count, Body body);
  /// Runs a fiber till it calls pause() or ends; returns whether it lives.
  bool resume(int index);
  /// Inside a fiber: back to who called resume().
  void pause();

 private:
  struct Fiber;
  static void enter();

  std::vector<std::unique_ptr<Fiber>> fibers_;
  Body body_;
  Fiber* current_ = nullptr;
};

}  // namespace penstock::gpu

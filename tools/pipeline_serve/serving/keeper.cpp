#include "pipeline_serve/serving/keeper.h"

#include <chrono>
#include <utility>

namespace penstock::serve {
namespace {

/// Between looks at pipelines that are still used: streams take seconds.
constexpr auto kLook = std::chrono::milliseconds(50);

}  // namespace

Keeper::Keeper(Tasks tasks)
    : tasks_(std::move(tasks)), thread_([this] { run(); }) {}

Keeper::~Keeper() { end(); }

void Keeper::ask_reload() {
  const std::scoped_lock lock(mutex_);
  must_reload_ = true;
  asked_.notify_all();
}

void Keeper::end() {
  {
    const std::scoped_lock lock(mutex_);
    must_end_ = true;
    asked_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Keeper::run() {
  tasks_.open();
  bool has_more = false;
  while (wait(has_more)) {
    bool must_reload = false;
    {
      const std::scoped_lock lock(mutex_);
      must_reload = std::exchange(must_reload_, false);
    }
    if (must_reload) tasks_.reload();
    has_more = tasks_.close();
  }
}

bool Keeper::wait(bool has_more) {
  std::unique_lock lock(mutex_);
  const auto is_asked = [this] { return must_reload_ || must_end_; };
  if (has_more) {
    asked_.wait_for(lock, kLook, is_asked);
  } else {
    asked_.wait(lock, is_asked);
  }
  return !must_end_;
}

}  // namespace penstock::serve

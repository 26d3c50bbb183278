#include "binding/board.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "penstock/error.h"

namespace penstock::python {

Watch::Watch() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) {
    throw Error(Code::kRetry, str("no event descriptor: ", strerror(errno)));
  }
}

Watch::~Watch() { close(descriptor_); }

void Watch::tell(std::int64_t number) {
  {
    const std::scoped_lock lock(mutex_);
    if (std::find(told_.begin(), told_.end(), number) != told_.end()) return;
    told_.push_back(number);
  }
  // Fails only where it is readable anyhow.
  (void)eventfd_write(descriptor_, 1);
}

std::vector<std::int64_t> Watch::take() {
  eventfd_t ignored = 0;
  (void)eventfd_read(descriptor_, &ignored);
  const std::scoped_lock lock(mutex_);
  return std::exchange(told_, {});
}

bool Board::enter(const std::shared_ptr<Watch>& watch) {
  const std::scoped_lock lock(mutex_);
  if (in_flight_ < most_ || is_closed_) {
    ++in_flight_;
    return true;
  }
  if (watch != nullptr) waiting_.push_back(watch);
  return false;
}

void Board::leave() {
  std::vector<std::shared_ptr<Watch>> waiting;
  {
    const std::scoped_lock lock(mutex_);
    --in_flight_;
    waiting.swap(waiting_);
  }
  changed_.notify_all();
  for (const auto& watch : waiting) watch->tell(kRoom);
}

bool Board::wait_for_room() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(50),
                           [&] { return in_flight_ < most_ || is_closed_; });
}

void Board::close() {
  std::vector<std::shared_ptr<Watch>> waiting;
  {
    const std::scoped_lock lock(mutex_);
    is_closed_ = true;
    waiting.swap(waiting_);
  }
  changed_.notify_all();
  for (const auto& watch : waiting) watch->tell(kRoom);
}

bool Board::is_closed() {
  const std::scoped_lock lock(mutex_);
  return is_closed_;
}

int Board::in_flight() {
  const std::scoped_lock lock(mutex_);
  return in_flight_;
}

}  // namespace penstock::python

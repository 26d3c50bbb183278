#include "pipeline_serve/serving/places.h"

#include <algorithm>
#include <chrono>

namespace penstock::serve {
namespace {

/// What the newest time between two ends counts beside those before.
constexpr double kLearns = 0.1;

}  // namespace

bool Places::take(const std::string& client, std::int64_t count) {
  const std::scoped_lock lock(mutex_);
  const auto found = taken_.find(client);
  const std::int64_t own = found == taken_.end() ? 0 : found->second;
  const auto clients =
      std::ssize(taken_) + std::int64_t{found == taken_.end() ? 1 : 0};
  const std::int64_t share = std::max<std::int64_t>(room_.most / clients, 1);
  const bool is_free = all_ + count <= room_.most;
  const bool is_due =
      own + count <= share && all_ + count <= room_.crowd * room_.most;
  // A request that is more than everything is let in when it is alone.
  if (!is_free && !is_due && all_ > 0) return false;
  taken_[client] = own + count;
  all_ += count;
  return true;
}

void Places::give_back(const std::string& client, std::int64_t count,
                       Time now) {
  const std::scoped_lock lock(mutex_);
  const bool is_busy = all_ > room_.slots;
  if (is_busy && last_end_ != Time()) {
    const double each = std::chrono::duration<double>(now - last_end_).count() /
                        static_cast<double>(count);
    between_s_ += between_s_ > 0 ? kLearns * (each - between_s_) : each;
  }
  last_end_ = is_busy ? now : Time();
  all_ -= count;
  const auto own = taken_.find(client);
  own->second -= count;
  if (own->second == 0) taken_.erase(own);
}

std::int64_t Places::taken() const {
  const std::scoped_lock lock(mutex_);
  return all_;
}

double Places::drain_s() const {
  const std::scoped_lock lock(mutex_);
  const double each =
      between_s_ > 0 ? between_s_ : 1 / static_cast<double>(room_.slots);
  return each * static_cast<double>(all_);
}

}  // namespace penstock::serve

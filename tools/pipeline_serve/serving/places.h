// Places: how many requests a pipeline holds, running and waiting, so that what
// one client sends cannot keep the others out.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "penstock/request.h"

namespace penstock::serve {

/// Any thread.
class Places {
 public:
  struct Room {
    std::int64_t slots = 1;  ///< requests that run together
    std::int64_t most = 1;   ///< requests, unless several clients crowd in
    std::int64_t crowd = 4;  ///< times `most`: the bound whoever asks
  };
  explicit Places(const Room& room) : room_(room) {}

  /// Places for `count` requests that come together; false: there are none.
  /// A client that has less than its equal share of `most`, among those that
  /// have any and itself, is let in although all are taken.
  [[nodiscard]] bool take(const std::string& client, std::int64_t count);
  void give_back(const std::string& client, std::int64_t count, Time now);

  [[nodiscard]] std::int64_t taken() const;
  /// Seconds until all that are here now will be over, by the time between the
  /// last ends while others waited; a second each where none was seen.
  [[nodiscard]] double drain_s() const;

 private:
  const Room room_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> taken_;  ///< by client; none is 0
  std::int64_t all_ = 0;
  double between_s_ = 0;  ///< ends of requests while others waited; 0: unknown
  Time last_end_{};       ///< while others waited; else none
};

}  // namespace penstock::serve

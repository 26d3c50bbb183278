// Standard output: results only, and a reader that went away is no error.
#pragma once

#include <atomic>
#include <string_view>

namespace penstock::run {

class Output {
 public:
  /// Writes all of it at once; any thread, not two at a time. Throws
  /// Error(kRetry) when the disk is full.
  void write(std::string_view text);
  /// Nobody reads any more: `| head` had enough.
  [[nodiscard]] bool is_closed() const { return is_closed_; }

 private:
  std::atomic<bool> is_closed_{false};
};

}  // namespace penstock::run

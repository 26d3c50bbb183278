// Standard output, or a file: results only, and a reader that went away is no
// error.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "penstock/error.h"
#include "pipeline_run/output/real_stdout.h"

namespace penstock::run {

class Output {
 public:
  explicit Output(int descriptor = results_descriptor())
      : descriptor_(descriptor) {}

  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// What to do, once, when writing turns out to be in vain; on the thread
  /// that wrote. Set it before that.
  void on_lost(std::function<void()> quit) { quit_ = std::move(quit); }
  /// Writes all of it, waiting for a slow reader, unless that is in vain. Any
  /// thread.
  void write(std::string_view text);
  /// Nobody reads any more: `| head` had enough.
  [[nodiscard]] bool is_closed() const;
  /// Why it could not be written: a full disk.
  [[nodiscard]] std::optional<Error> error() const;

 private:
  [[nodiscard]] bool write_or_lose(std::string_view text);

  int descriptor_;
  std::function<void()> quit_;
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  std::optional<Error> error_;
};

}  // namespace penstock::run

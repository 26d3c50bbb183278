#include "pipeline_run/output/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace penstock::run {

void Output::write(std::string_view text) {
  if (!write_or_lose(text) && quit_) quit_();
}

/// False: it was lost just now.
bool Output::write_or_lose(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  if (is_closed_ || error_) return true;
  while (!text.empty()) {
    const ssize_t wrote = ::write(descriptor_, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN) {  // whoever started us made it non-blocking
      pollfd writable{descriptor_, POLLOUT, 0};
      (void)poll(&writable, 1, /*timeout=*/-1);
    } else if (errno == EPIPE) {
      is_closed_ = true;
      return false;
    } else if (errno != EINTR) {
      error_ = Error(Code::kRetry, str("cannot write the result: ",
                                       std::generic_category().message(errno)));
      return false;
    }
  }
  return true;
}

bool Output::is_closed() const {
  const std::scoped_lock lock(mutex_);
  return is_closed_;
}

std::optional<Error> Output::error() const {
  const std::scoped_lock lock(mutex_);
  return error_;
}

}  // namespace penstock::run

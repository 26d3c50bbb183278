#include "output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "penstock/error.h"

namespace penstock::run {

void Output::write(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  while (!text.empty() && !is_closed_) {
    const ssize_t wrote = ::write(STDOUT_FILENO, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EPIPE) {
      is_closed_ = true;
    } else if (errno == EAGAIN) {  // whoever started us made it non-blocking
      pollfd writable{STDOUT_FILENO, POLLOUT, 0};
      (void)poll(&writable, 1, /*timeout=*/-1);
    } else if (errno != EINTR) {
      throw Error(Code::kRetry, str("cannot write the result: ",
                                    std::generic_category().message(errno)));
    }
  }
}

}  // namespace penstock::run

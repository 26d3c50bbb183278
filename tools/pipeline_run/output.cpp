#include "output.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "penstock/error.h"

namespace penstock::run {

void Output::write(std::string_view text) {
  while (!text.empty() && !is_closed_) {
    const ssize_t wrote = ::write(STDOUT_FILENO, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EPIPE) {
      is_closed_ = true;
    } else if (errno != EINTR) {
      throw Error(Code::kRetry, str("cannot write the result: ",
                                    std::generic_category().message(errno)));
    }
  }
}

}  // namespace penstock::run

// How much of what a client may send, and how long it may take.
#pragma once

#include <cstddef>

namespace penstock::serve {

struct Limits {
  std::size_t header_bytes = std::size_t{8} << 10U;  ///< and of the first line
  std::size_t header_fields = 64;
  std::size_t body_bytes = std::size_t{1} << 20U;    ///< of JSON
  std::size_t media_bytes = std::size_t{20} << 20U;  ///< of uploads and tensors
  std::size_t connections = 1024;
  /// Of an answer that its client does not read; beyond it the client is gone.
  std::size_t unread_bytes = std::size_t{8} << 20U;
  double header_s = 10;  ///< a header must be whole by then
  double body_s = 30;    ///< and its body
  double idle_s = 120;   ///< between requests
  double write_s = 60;   ///< a client that reads nothing for so long is gone
  double ping_s = 15;    ///< between comments in a stream that is silent
};

}  // namespace penstock::serve

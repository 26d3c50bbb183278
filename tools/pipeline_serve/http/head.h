// The head of a request: read strictly, since what two programs read in two
// ways is how requests are smuggled past a proxy (RFC 9112, sections 3 to 7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "pipeline_serve/http/limits.h"
#include "pipeline_serve/http/message.h"

namespace penstock::serve {

struct Head {
  std::string method;
  std::string target;  ///< path and query; an absolute one without its origin
  int minor = 1;       ///< HTTP/1.x
  Fields fields;
  bool is_chunked = false;
  std::optional<std::uint64_t> length;  ///< Content-Length
  bool wants_continue = false;          ///< Expect: 100-continue
  bool keeps_alive = true;
};

/// Bytes of the first request in `bytes` up to and with its empty line; 0: not
/// there yet. Leading empty lines count in.
[[nodiscard]] std::size_t head_size(std::string_view bytes);

/// What is wrong already with a head that is not whole; nothing: nothing yet.
[[nodiscard]] std::optional<HttpError> look_early(std::string_view bytes,
                                                  const Limits& limits);

/// Reads a whole head. After an error the connection must be closed.
[[nodiscard]] std::variant<Head, HttpError> read_head(std::string_view bytes,
                                                      const Limits& limits);

}  // namespace penstock::serve

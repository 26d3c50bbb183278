// The HTTP status that an error's code means: for servers, and for lines of
// OpenAI's batch files.
#pragma once

#include "penstock/error.h"

namespace penstock {

[[nodiscard]] inline int http_status(Code code) {
  switch (code) {
    case Code::kUsage:
    case Code::kData:
      return 400;
    case Code::kNotFound:
      return 404;
    case Code::kRetry:
    case Code::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

}  // namespace penstock

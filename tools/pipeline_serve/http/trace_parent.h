// W3C Trace Context: which trace of the client's a request belongs to.
#pragma once

#include <optional>
#include <string>

#include "pipeline_serve/http/message.h"

namespace penstock::serve {

/// Of a `traceparent` field: "00-TRACE ID-PARENT ID-FLAGS".
struct TraceParent {
  std::string trace_id;   ///< 32 hexadecimal digits in lower case
  std::string parent_id;  ///< 16
};

/// Nothing where there is no such field, more than one, or one that breaks the
/// standard's rules: a trace is then as if none had been sent.
[[nodiscard]] std::optional<TraceParent> trace_parent_of(const Fields& fields);

}  // namespace penstock::serve

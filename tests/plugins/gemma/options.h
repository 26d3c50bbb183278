// Options of requests, as tests write them.
#pragma once

#include <map>
#include <string>

#include "penstock/request.h"

namespace penstock::gemma {

using Options = std::map<std::string, Raw>;

inline RawScalar word(const std::string& text) {
  return {.text = text, .quoted = false};
}

}  // namespace penstock::gemma

// What a server did, in words, for its end.
#pragma once

#include <string>
#include <vector>

#include "pipeline_serve/serving/models.h"

namespace penstock::serve {

/// Two lines of each pipeline that had a request, one of any other: requests
/// and how they ended, tokens and their rate while a request ran, and what
/// clients waited for.
[[nodiscard]] std::vector<std::string> summary(const Metrics& metrics,
                                               const Models& models);

}  // namespace penstock::serve

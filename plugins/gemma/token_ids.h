// A prompt that comes as token ids instead of text.
#pragma once

#include <cstdint>
#include <optional>

#include "penstock/request.h"

namespace penstock::gemma {

/// The request's input `token_ids`: a JSON list of integers, or a tensor
/// `token_ids` i64[T]. Nothing where there is none. Throws Error(kData) for
/// another shape, an empty list, and ids that are not below `vocabulary`.
[[nodiscard]] std::optional<Tokens> token_ids(const Request& request,
                                              std::int64_t vocabulary);

}  // namespace penstock::gemma

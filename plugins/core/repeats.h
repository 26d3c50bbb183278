// No n-gram twice, and words that must not be written: which tokens would make
// one of them whole.
#pragma once

#include <vector>

#include "penstock/value.h"

namespace penstock::core {

/// Tokens that would write an n-gram that stands in `tokens` already. As
/// transformers: n of 1 bans every token there is.
[[nodiscard]] Tokens would_repeat(const Tokens& tokens, std::int64_t n);

/// Last tokens of the `words` whose other tokens stand at the end of `tokens`.
[[nodiscard]] Tokens would_complete(const Tokens& tokens,
                                    const std::vector<Tokens>& words);

}  // namespace penstock::core
